"""`verify`: every tensor against LiteRT's reference kernels, byte for byte.

Two comparisons, both on every input: the interpreter on the graph as loaded (every tensor of the file, also those that
passes remove later), and the check value of every tensor that the firmware computes, on the board or its simulator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.board import Board, load_board
from tessera.cli.build import firmware, firmware_report
from tessera.cli.choices import Choices, compile_for
from tessera.cli.command import console, progress, write_json
from tessera.cli.memory import memory_report, sram_sentence
from tessera.device import Device, RunResult, open_device
from tessera.errors import BadInput, NotEqual
from tessera.interpreter import run as interpret
from tessera.ir.graph import TensorId
from tessera.models import find_model
from tessera.oracle.compare import expected_tensors, litert_inputs
from tessera.oracle.inputs import test_inputs
from tessera.oracle.litert import Oracle
from tessera.pipeline import Compiled
from tessera.schedule.check import expected_check
from tessera.schedule.schedule import Schedule

Array = NDArray[Any]


@dataclass
class Tally:
    """Tensors compared and the ones that differed; a tensor counts as equal when it was on every input."""

    compared: set[str] = field(default_factory=set)
    different: set[str] = field(default_factory=set)
    first: dict[str, Any] | None = None

    def add(self, where: str, input_number: int, tensor: str, kernel: str, equal: bool) -> None:
        self.compared.add(f"{where}: {tensor}")
        if not equal:
            self.different.add(f"{where}: {tensor}")
            if self.first is None:
                self.first = {"where": where, "input": input_number, "tensor": tensor, "kernel": kernel}


def verify_model(
    model: str, board_name: str, choices: Choices, inputs: int, seed: int, port: str, json_path: str
) -> None:
    if inputs < 1:
        raise BadInput(f"--inputs {inputs}: must be at least 1")
    board = load_board(board_name)
    compiled = compile_for(find_model(model), board, choices)
    report = verify_report(compiled, board, inputs=inputs, seed=seed, port=port)
    write_json(json_path, report)
    _conclude(report)


def verify_report(compiled: Compiled, board: Board, *, inputs: int, seed: int, port: str) -> dict[str, Any]:
    """Runs `inputs` inputs on the device and compares; nothing is raised at a difference, it is in the report.

    Instructions (of a chip, cycles) are those of the first input.
    """
    image = firmware(compiled, board, simulated=not port)
    tally, runs = Tally(), list[RunResult]()
    bar, advance = progress(inputs, f"verifying {compiled.model.name}")
    with bar, Oracle(compiled.content) as oracle, open_device(board, elf=image.elf, port=port or None) as device:
        for n, arrays in enumerate(test_inputs(compiled.graph, inputs, seed)):
            file_inputs = litert_inputs(compiled.loaded, compiled.graph, arrays)
            reference = oracle.run(file_inputs)
            _compare_file(compiled, file_inputs, reference, n, tally)
            expected = expected_tensors(compiled.graph, reference)
            runs.append(_compare_device(compiled, device, arrays, expected, n, tally))
            advance(f"verifying {compiled.model.name} on {board.name}: input {n + 1}")
    return {
        **memory_report(compiled, board),
        **firmware_report(compiled, board, image),
        runs[0].unit: runs[0].count,
        "stack_bytes": max(run.stack_bytes for run in runs),
        "tensors": len(tally.compared),
        "equal": len(tally.compared) - len(tally.different),
        "inputs": inputs,
        "seed": seed,
        "first_difference": tally.first,
    }


def _compare_file(
    compiled: Compiled, inputs: list[Array], reference: Sequence[Array | None], n: int, tally: Tally
) -> None:
    """The interpreter on the graph as loaded: every tensor of the file that an operator computes."""
    loaded = compiled.loaded
    values = interpret(loaded, inputs)
    for op in loaded.ops:
        for out in op.outputs:
            source = loaded.tensor(out).source
            theirs = reference[source] if source is not None else None
            if theirs is not None:
                tally.add("interpreter", n, loaded.tensor(out).name, type(op.attrs).__name__, same(values[out], theirs))


def same(ours: Array | None, theirs: Array) -> bool:
    return ours is not None and ours.shape == theirs.shape and ours.tobytes() == theirs.tobytes()


def _compare_device(
    compiled: Compiled, device: Device, arrays: list[Array], expected: Mapping[TensorId, Array], n: int, tally: Tally
) -> RunResult:
    """Every tensor that the firmware computes, by its check value, and every output, by its bytes."""
    graph, schedule = compiled.graph, compiled.schedule
    for i, array in enumerate(arrays):
        device.load_input(i, np.ascontiguousarray(array).tobytes())
    result = device.run(crcs=True)
    own = None
    for kernel, (stage, op), step in zip(compiled.kernels, _steps(schedule), result.steps, strict=True):
        theirs = expected.get(kernel.output)
        if theirs is None:  # a pass or the schedule made this tensor: the interpreter is its reference
            own = own or interpret(graph, arrays)
            theirs = own[kernel.output]
        assert theirs is not None
        equal = step.crc == expected_check(schedule, stage, op, theirs)
        tally.add("firmware", n, graph.tensor(kernel.output).name, kernel.symbol, equal)
    for out, chunk in zip(graph.outputs, device.outputs(), strict=True):
        tally.add("output", n, graph.tensor(out).name, "", chunk == expected[out].tobytes())
    return result


def _steps(schedule: Schedule) -> list[tuple[int, int]]:
    """The stage and the operator of every step."""
    graph = schedule.graph
    return [(n, i) for n, stage in enumerate(schedule.stages) for i in stage.ops for _ in graph.ops[i].outputs]


def _conclude(report: dict[str, Any]) -> None:
    summary = f"{report['model']} on {report['board']}: {report['equal']} of {report['tensors']} tensors"
    first = report["first_difference"]
    if first:
        kernel = f", computed by {first['kernel']}" if first["kernel"] else ""
        raise NotEqual(
            f"{summary} equal LiteRT's reference kernels; the first that differs is {first['tensor']} "
            f"({first['where']}, input {first['input']}{kernel})"
        )
    console.print(
        f"[green]equal[/] {summary} equal LiteRT's reference kernels on {report['inputs']} inputs\n"
        f"{sram_sentence(report)}",
        highlight=False,
    )
