"""The static RAM that a limit sets aside before anything is linked is enough, and not much more."""

import shutil
from pathlib import Path

import pytest

from tessera.board import board_names, load_board
from tessera.firmware.build import build_firmware
from tessera.firmware.static_ram import static_ram_bound

NEGATE = Path(__file__).resolve().parents[2] / "firmware" / "infer" / "model"
STEPS = 3
SLACK = 128


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="no Arm compiler")
@pytest.mark.parametrize("name", board_names())
def test_what_is_linked_keeps_within_the_bound(name: str) -> None:
    board = load_board(name)
    for simulated in {True, board.is_simulator}:
        linked = build_firmware(board, NEGATE, simulated=simulated).static_ram_bytes
        assert static_ram_bound(STEPS) - SLACK <= linked <= static_ram_bound(STEPS)


def test_steps_and_the_application_add_to_it() -> None:
    assert static_ram_bound(80) - static_ram_bound(40) == 8 * 50
    assert static_ram_bound(40, 640) == static_ram_bound(40) + 640
