"""CONV_2D on a simulated Cortex-M4: every variant of conv2d_dsp.h, as layers and streamed, against the interpreter.

Plans alternate between the planner's, with its overlaps, and one with guards around every buffer.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from on_cross import FAST, cross_case, run_cross_cases
from single_op import draw_case
from tessera.kernels.isa import KernelSet
from tessera.schedule.region import FULL, Tile

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")

TILES = {1: Tile(1, FULL), 2: Tile(2, 2)}  # by seed % 3


@pytest.mark.parametrize("kernels", [FAST], ids=["fast"])
def test_random_models(kernels: KernelSet, cases: int, tmp_path: Path) -> None:
    drawn = []
    for seed in range(cases):
        model, inputs = draw_case("CONV_2D", seed)
        name = f"conv2d_{seed}"
        drawn.append(cross_case(name, model, inputs, kernels, TILES.get(seed % 3), guarded=seed % 2 == 1))
    run_cross_cases(drawn, tmp_path)
