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
    ("name", "flash", "ram"),
    [("f4", 512 * 1024, 128 * 1024), ("f7", 1024 * 1024, 320 * 1024), ("h7", 2048 * 1024, (128 + 512 + 288) * 1024)],
)
def test_sizes_are_the_chips(name: str, flash: int, ram: int) -> None:
    board = load_board(name)
    assert board.flash_bytes == flash
    taken = board.stack_bytes + 32 + board.data_bytes
    assert board.arena_limit_bytes == (ram - taken) // 16 * 16


@pytest.mark.parametrize(
    ("name", "memories"),
    [
        ("f4", [("SRAM", 128 * 1024 - 4096 - 32 - 4096)]),
        ("f7", [("DTCM", 64 * 1024 - 4096 - 32 - 4096), ("SRAM", 256 * 1024)]),
        ("h7", [("DTCM", 128 * 1024 - 4096 - 32 - 4096), ("AXI", 512 * 1024), ("SRAM123", 288 * 1024)]),
        ("qemu-m7", [("SRAM", 4096 * 1024 - 4096 - 32 - 65536), ("PSRAM", 16384 * 1024)]),
    ],
)
def test_memories_that_a_model_may_use(name: str, memories: list[tuple[str, int]]) -> None:
    board = load_board(name)
    assert [(m.name, m.limit_bytes) for m in board.memories] == [(n, size - size % 16) for n, size in memories]
    assert board.arena_limit_bytes == sum(m.limit_bytes for m in board.memories)


def test_an_unknown_board_names_the_known_ones() -> None:
    with pytest.raises(TesseraError, match="'h8'; the boards are f4, f7, h7"):
        load_board("h8")
