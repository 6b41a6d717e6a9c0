"""How fast a model runs layer by layer: instructions on both cores, estimated cycles, and what it takes of flash."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.board import Board, load_board
from tessera.cli.build import firmware
from tessera.cli.choices import DEFAULT, compile_for
from tessera.errors import DoesNotFit
from tessera.frontend.flatbuffer import read_flatbuffer
from tessera.models import find_model
from tessera.oracle.inputs import test_inputs
from tessera.pipeline import Compiled
from tessera.profile.profile import Profile, make_profile
from tessera.profile.trace import trace

M4_BOARD, M7_BOARD = "qemu-m4", "qemu-m7"


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one inference; cycles are estimated (docs/cycle_model.md)."""

    macs: int
    m4_instructions: int
    m7_instructions: int | None  # of the build for Cortex-M7; None: does not fit
    m4_cycles: float
    m7_cycles: float | None
    constants_bytes: int  # of the generated files: weights, parameters, tables
    file_bytes: int  # of the model's file: constants, scales, zero points


def measure_speed(model: str, m4: Compiled) -> Speed:
    """`m4` is the model layer by layer on M4_BOARD."""
    board = load_board(M4_BOARD)
    on_m4 = _profile(m4, board)
    on_m7 = None
    try:
        m7_board = load_board(M7_BOARD)
        on_m7 = _profile(compile_for(find_model(model), m7_board, DEFAULT), m7_board)
    except DoesNotFit:
        pass  # the table says so
    return Speed(
        macs=sum(k.macs for k in m4.kernels),
        m4_instructions=on_m4.total.instructions,
        m7_instructions=None if on_m7 is None else on_m7.total.instructions,
        m4_cycles=on_m4.total.cycles["cortex-m4"],
        m7_cycles=None if on_m7 is None else on_m7.total.cycles["cortex-m7"],
        constants_bytes=firmware(m4, board, simulated=True).sizes.model_bytes,
        file_bytes=file_constants_bytes(m4.content),
    )


def _profile(compiled: Compiled, board: Board) -> Profile:
    image = firmware(compiled, board, simulated=True)
    inputs = [a.tobytes() for a in test_inputs(compiled.graph, 1, 0)[0]]
    return make_profile(trace(board, image.elf, inputs), compiled.kernels)


def file_constants_bytes(content: bytes) -> int:
    """What a model's file holds for its constant tensors: their elements, scales (float32) and zero points (int64)."""
    sizes: dict[int, int] = {}  # by address: tensors may share their elements
    quantization = 0
    for t in read_flatbuffer(content, "model").tensors:
        if t.data is not None:
            sizes[t.data.__array_interface__["data"][0]] = t.data.nbytes
            quantization += 4 * len(t.scales) + 8 * len(t.zero_points)
    return sum(sizes.values()) + quantization
