"""What counts as worse, and that the committed figures are of the kernels and models that there are."""

import pytest

from tessera.bench.guard import KERNEL_TABLE, TOLERANCE, changes, read_committed
from tessera.bench.kernels import KERNELS
from tessera.models import model_names

COMMITTED = {"net": {"instructions": 1000.0, "arena_bytes": 64.0}, "gone": {"instructions": 1.0}}


@pytest.mark.parametrize(("now", "worse"), [(1021.0, True), (1020.0, False), (1001.0, False), (900.0, False)])
def test_two_percent_more_is_worse(now: float, worse: bool) -> None:
    (change,) = changes(COMMITTED, {"net": {"instructions": now, "arena_bytes": 64.0}})
    assert (change.row, change.figure, change.committed, change.now) == ("net", "instructions", 1000.0, now)
    assert change.is_worse == worse
    assert change.factor == pytest.approx(now / 1000)
    assert TOLERANCE == 0.02


def test_what_only_one_side_has_is_no_change() -> None:
    assert list(changes(COMMITTED, {"new": {"instructions": 5.0}, "net": {"code_bytes": 7.0}})) == []


def test_something_out_of_nothing_is_worse() -> None:
    (change,) = changes({"net": {"scratch": 0.0}}, {"net": {"scratch": 1.0}})
    assert change.is_worse


def test_committed_figures_cover_kernels_and_own_models() -> None:
    committed = read_committed()
    assert set(committed[KERNEL_TABLE]) == {k.name for k in KERNELS}
    assert set(model_names()) <= set(committed)
