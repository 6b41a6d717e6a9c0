"""The table of kernels: every one meets its goal on the simulated core, and the portable kernels are what it says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tessera.bench.kernels import KERNELS, measure_kernels
from tessera.kernels.isa import Isa, KernelSet

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")


def test_every_kernel_meets_its_goal(tmp_path: Path) -> None:
    results = measure_kernels(KERNELS, tmp_path)
    assert len(results) == len(KERNELS)
    for result in results:
        assert 0 < result.per_unit <= result.bench.goal, f"{result.bench.name}: {result.per_unit:.3f} ({result.symbol})"
        assert result.symbol.endswith("__dsp"), result.bench.name


def test_kernels_can_be_chosen(tmp_path: Path) -> None:
    one = KERNELS[2:3]
    (lean,) = measure_kernels(one, tmp_path, KernelSet(Isa.ARMV7E_M, fast=False))
    (portable,) = measure_kernels(one, tmp_path, KernelSet(Isa.PORTABLE))
    assert (lean.symbol, portable.symbol) == ("tess_conv2d_lean_s8__dsp", "tess_conv2d_1x1_s8")
    assert lean.units == portable.units == 36 * 128 * 128
    assert lean.per_unit < 1.2 < 5 < portable.per_unit
