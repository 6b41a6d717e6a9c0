"""No figure may be more than 2 % worse than in docs/measurements.json."""

from __future__ import annotations

from pathlib import Path

import pytest

from tessera.bench.guard import KERNEL_TABLE, Figures, changes, measure_figures, measure_kernel_figures, read_committed
from tessera.models import model_names


def assert_not_worse(now: Figures) -> None:
    committed = read_committed()
    assert set(now) <= set(committed), "measure it: ./inv bench"
    assert not [c for c in changes(committed, now) if c.is_worse]


@pytest.mark.qemu
def test_kernels() -> None:
    assert_not_worse({KERNEL_TABLE: measure_kernel_figures()})


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("name", model_names())
def test_own_models(name: str) -> None:
    assert_not_worse({name: measure_figures(name)})


@pytest.mark.slow
@pytest.mark.qemu
def test_real_models(shared_model: Path) -> None:
    if shared_model.stem not in read_committed():
        pytest.skip("it is refused")
    assert_not_worse({shared_model.stem: measure_figures(str(shared_model))})
