"""Buffers of one model in several memories of a board: linked where the plan says, every tensor equal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from small_net import small_net
from tessera.board import Board, load_board
from tessera.cli.build import firmware
from tessera.cli.plan import check_memory
from tessera.cli.verify import verify_report
from tessera.models import ModelFile, find_model
from tessera.pipeline import compile_model
from tessera.schedule.options import ScheduleOptions
from tessera.schedule.schedule import InputMode

H7 = load_board("h7")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    path = tmp_path_factory.mktemp("models") / "spread.tflite"
    path.write_bytes(small_net(height=24, width=20))
    return find_model(str(path))


def with_limits(*limits: int) -> Board:
    """An H7 whose memories leave a model only so much."""
    return replace(H7, memories=tuple(replace(m, limit_bytes=n) for m, n in zip(H7.memories, limits, strict=True) if n))


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("mode", "quarters"), [(InputMode.RESIDENT, (1, 3, 2)), (InputMode.STREAMED, (2, 2, 1))], ids=["layers", "streamed"]
)
def test_every_tensor_equals_the_reference(model: ModelFile, mode: InputMode, quarters: tuple[int, ...]) -> None:
    """No memory has all that one would need; together they have more."""
    options = ScheduleOptions(mode, max_macs=1.0 if mode is InputMode.STREAMED else None)
    alone = compile_model(model, H7, options=options, time_limit_s=1).plan
    assert [m.name for m in alone.memories] == ["DTCM"], "all fits in the first memory"
    board = with_limits(*(alone.arena_bytes * n // 4 // 16 * 16 for n in quarters))
    compiled = compile_model(model, board, options=options, time_limit_s=1)
    assert len(compiled.plan.memories) > 1
    check_memory(compiled, board)
    report = verify_report(compiled, board, inputs=2, seed=3, port="")
    assert report["first_difference"] is None
    assert report["equal"] == report["tensors"] > 0
    assert report["schedule"] == ("layerwise" if mode is InputMode.RESIDENT else "streamed")
    sizes = firmware(compiled, board, simulated=True).sizes
    used = {f".arena.{m.name.lower()}": m.bytes for m in compiled.plan.memories}
    assert {k: v for k, v in sizes.sections if k.startswith(".arena") and v} == used
    assert sizes.arena_bytes == compiled.plan.arena_bytes


def test_a_chip_has_a_section_for_each_memory(model: ModelFile) -> None:
    board = with_limits(480, 1440, 960)
    compiled = compile_model(model, board, time_limit_s=1)
    sizes = firmware(compiled, board, simulated=False).sizes
    used = {f".arena.{m.name.lower()}": m.bytes for m in compiled.plan.memories}
    assert len(used) > 1
    assert {k: v for k, v in sizes.sections if k.startswith(".arena") and v} == used
