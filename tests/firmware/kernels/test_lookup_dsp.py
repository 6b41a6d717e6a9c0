"""Lookups on a simulated Cortex-M4, in place and not, as layers and streamed: tables, and flips of uint8 edges."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from on_cross import FAST, CrossCase, cross_case, run_cross_cases
from single_op import Draw, options
from tessera.kernels.select import select_kernels
from tessera.schedule.region import FULL, Tile

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")

TILES = (None, Tile(1, FULL), Tile(2, 3))


def lookup_case(seed: int) -> CrossCase:
    """HARD_SWISH of a map, or a pool of a uint8 map, whose edges are flipped; of any number of bytes."""
    d = Draw(seed)
    shape = (1, *(int(n) for n in d.rng.integers(1, 8, 3)))
    if seed % 2:
        x = d.spec(shape, np.uint8)
        pool = options("Pool2D", padding=0, strideH=1, strideW=1, filterHeight=2, filterWidth=1)
        model, inputs = d.case("MAX_POOL_2D", [x], [d.spec(shape, np.uint8)], pool)
    else:
        x, out = d.spec(shape), d.spec(shape)
        out.scale = np.maximum(np.float32(out.scale), np.float32(x.scale) / 100)
        model, inputs = d.case("HARD_SWISH", [x], [out])
    return cross_case(f"lookup_{seed}", model, inputs, FAST, TILES[seed % 3], guarded=seed % 4 > 1)


def test_random_models(cases: int, tmp_path: Path) -> None:
    drawn = [lookup_case(seed) for seed in range(max(cases, 24))]
    symbols = {s.symbol for case in drawn for s in select_kernels(case.schedule.graph, case.schedule)}
    assert symbols >= {f"tess_{name}_8__dsp" for name in ("lookup", "lookup_span", "flip", "flip_span")}
    run_cross_cases(drawn, tmp_path)
