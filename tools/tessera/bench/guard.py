"""The regression guard: figures of now against those committed in docs/measurements.json. Less is better of all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tessera.bench.kernels import KERNELS, KernelResult, measure_kernels
from tessera.bench.measure import Measurement
from tessera.bench.speed import M4_BOARD
from tessera.board import load_board
from tessera.cli.build import firmware
from tessera.cli.choices import DEFAULT, compile_for
from tessera.device.device import open_device
from tessera.firmware.code_size import code_bytes
from tessera.models import ROOT, find_model
from tessera.oracle.inputs import test_inputs
from tessera.pipeline import generate

COMMITTED = ROOT / "docs" / "measurements.json"
TOLERANCE = 0.02
KERNEL_TABLE = "kernels"

Figures = Mapping[str, Mapping[str, float]]  # model, or KERNEL_TABLE -> what -> how much


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that differs from the committed one."""

    row: str
    figure: str
    committed: float
    now: float

    @property
    def factor(self) -> float:
        return self.now / self.committed if self.committed else float("inf")

    @property
    def is_worse(self) -> bool:
        return self.factor > 1 + TOLERANCE


def figures_of(measured: Sequence[Measurement], kernels: Sequence[KernelResult]) -> Figures:
    """Of a full measurement: what is committed."""
    rows = {m.name: _row(m.m4, m.code_bytes) for m in measured}
    return {**rows, KERNEL_TABLE: _kernel_row(kernels)}


def measure_figures(model: str) -> dict[str, float]:
    """The same of one model layer by layer, by one run."""
    board = load_board(M4_BOARD)
    compiled = compile_for(find_model(model), board, DEFAULT)
    image = firmware(compiled, board, simulated=True)
    with open_device(board, elf=image.elf, port=None) as device:
        for i, array in enumerate(test_inputs(compiled.graph, 1, 0)[0]):
            device.load_input(i, array.tobytes())
        result = device.run(crcs=False)
    report = {
        result.unit: result.count,
        "stack_bytes": result.stack_bytes,
        "arena_bytes": compiled.plan.arena_bytes,
        "flash_bytes": image.flash_bytes,
    }
    return _row(report, code_bytes(generate(compiled, board.name), board))


def measure_kernel_figures() -> dict[str, float]:
    with TemporaryDirectory() as folder:
        return _kernel_row(measure_kernels(KERNELS, Path(folder)))


def changes(committed: Figures, now: Figures) -> Iterator[Change]:
    """Figures that both have and that differ."""
    for row, figures in now.items():
        for figure, value in figures.items():
            before = committed.get(row, {}).get(figure)
            if before is not None and before != value:
                yield Change(row, figure, before, value)


def read_committed() -> Figures:
    figures: Figures = json.loads(COMMITTED.read_text())
    return figures


def as_json(figures: Figures) -> str:
    return json.dumps(figures, indent=2, sort_keys=True) + "\n"


def _row(report: Mapping[str, Any], code: int) -> dict[str, float]:
    names = ("instructions", "arena_bytes", "flash_bytes", "stack_bytes")
    return {**{name: report[name] for name in names}, "code_bytes": code}


def _kernel_row(kernels: Sequence[KernelResult]) -> dict[str, float]:
    return {k.bench.name: round(k.per_unit, 4) for k in kernels}
