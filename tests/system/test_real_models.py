"""The real models, from the file to bytes on simulated boards. They are not in the project: skipped when absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tessera.board import load_board
from tessera.cli.inspect import weights_bytes
from tessera.cli.plan import check_flash, check_memory
from tessera.cli.verify import verify_report
from tessera.errors import DoesNotFit, TesseraError
from tessera.memory.fit import excess_bytes
from tessera.models import find_model
from tessera.pipeline import compile_model

pytestmark = [pytest.mark.slow, pytest.mark.qemu]


def test_every_tensor_equals_the_reference_on_qemu(shared_model: Path) -> None:
    board = load_board("qemu-m4")
    compiled = compile_model(find_model(str(shared_model)), board, time_limit_s=2)
    report = verify_report(compiled, board, inputs=2, seed=11, port="")
    assert report["first_difference"] is None
    assert report["equal"] == report["tensors"] > 0


def test_what_fits_the_h7_runs_on_its_twin(shared_model: Path) -> None:
    board = load_board("h7")
    compiled = compile_model(find_model(str(shared_model)), board, time_limit_s=2)
    if excess_bytes(compiled.plan, board.arena_limit_bytes, board.memories):
        with pytest.raises(DoesNotFit):
            check_memory(compiled, board)
        return
    if weights_bytes(compiled.graph) > board.flash_bytes:
        with pytest.raises(DoesNotFit):
            check_flash(compiled, board)
        return
    report = verify_report(compiled, board, inputs=1, seed=12, port="")
    assert report["equal"] == report["tensors"] > 0


def test_rejects_are_refused(shared_reject: Path) -> None:
    with pytest.raises(TesseraError, match=r"^[^\n]+$"):
        compile_model(find_model(str(shared_reject)), None)
