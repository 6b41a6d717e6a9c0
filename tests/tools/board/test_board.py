"""The board descriptions."""

import pytest

from tessera.board import board_names, load_board
from tessera.errors import TesseraError


def test_the_boards() -> None:
    assert {"f4", "f7", "h7", "qemu-m4", "qemu-m7"} <= set(board_names())


@pytest.mark.parametrize("name", board_names())
def test_every_board_loads(name: str) -> None:
    board = load_board(name)  # verify_board runs inside
    assert board.name == name
    assert board.arena_limit_bytes % 16 == 0
    assert board.is_simulator == name.startswith("qemu-")


@pytest.mark.parametrize(
    ("name", "flash", "arena_limit"),
    [
        ("f4", 512 * 1024, 128 * 1024 - 4096 - 32 - 4096),
        ("f7", 1024 * 1024, 320 * 1024 - 4096 - 32 - 4096),
        ("h7", 2048 * 1024, 512 * 1024),
    ],
)
def test_sizes_are_the_chips(name: str, flash: int, arena_limit: int) -> None:
    board = load_board(name)
    assert board.flash_bytes == flash
    assert board.arena_limit_bytes == arena_limit - arena_limit % 16


def test_an_unknown_board_names_the_known_ones() -> None:
    with pytest.raises(TesseraError, match="'h8'; the boards are f4, f7, h7"):
        load_board("h8")
