"""A trace by hand: two steps in one kernel that shares a helper with the engine."""

from __future__ import annotations

from tessera.ir.graph import TensorId
from tessera.kernels.call import KernelCall
from tessera.profile.trace import Accesses, Block, Function, Runs, Trace

NOP = bytes.fromhex("00bf")
STEP_0, STEP_1, ENGINE, WHOLE = range(4)
NONE = Accesses((0,), (0,), 0)
FUNCTIONS = (Function("engine", 0, 0x20), Function("kernel", 0x20, 0x40), Function("helper", 0x40, 0x60))


def block(address: int, nops: int, calls: bool = False, **runs: int) -> Block:
    regions = {"step0": STEP_0, "step1": STEP_1, "engine": ENGINE, "whole": WHOLE}
    return Block(address, NOP * nops, calls, {regions[r]: Runs(n, n, 0) for r, n in runs.items()})


TRACE = Trace(
    steps=2,
    memories=("RAM",),
    blocks=(
        block(0x00, 5, calls=True, engine=2, whole=2),  # what leads to a piece
        block(0x10, 3, calls=True, step0=1, step1=1),  # what tells that it ended: no application has it
        block(0x20, 10, step0=7, step1=3, whole=10),
        block(0x40, 4, step0=1, engine=2, whole=3),
    ),
    regions=(
        Accesses((10,), (4,), 100),
        Accesses((20,), (2,), 200),
        Accesses((5,), (1,), 90),
        Accesses((40,), (6,), 180),
    ),
    functions=FUNCTIONS,
    stack_bytes=180,
)


def call(name: str) -> KernelCall:
    return KernelCall(op=name, kind="Conv2D", symbol="tess_kernel", output=TensorId(0), calls=(), macs=50)


CALLS = (call("first"), call("second"))
