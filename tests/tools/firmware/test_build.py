"""Firmware builds: every image links, models do not mix, errors are one sentence."""

import shutil
from pathlib import Path

import pytest

from tessera.board import load_board
from tessera.errors import BadInput, BoardError, DoesNotFit, ToolMissing
from tessera.firmware.build import build_firmware

FIXTURES = Path(__file__).resolve().parents[2] / "firmware"
NEGATE = FIXTURES / "infer" / "model"
FAULTS = FIXTURES / "faults" / "model"
needs_gcc = pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="no Arm compiler")


def model_of(folder: Path, arena_bytes: int, extra: str = "", code: str = "") -> Path:
    folder.mkdir()
    shutil.copy(NEGATE / "negate.c", folder)
    config = (NEGATE / "tess_model_config.h").read_text().replace("24576", str(arena_bytes - 64))
    (folder / "tess_model_config.h").write_text(config + extra)
    if code:
        (folder / "more.c").write_text(code)
    return folder


@pytest.mark.slow
@needs_gcc
@pytest.mark.parametrize("name", ["f4", "f7", "h7"])
def test_chip_images_link(name: str) -> None:
    chip, twin = (build_firmware(name, NEGATE, simulated=simulated) for simulated in (False, True))
    assert chip.elf != twin.elf
    board = load_board(name)
    for image in (chip, twin):
        assert image.sizes.arena_bytes == 24640
        assert image.sizes.stack_bytes == board.stack_bytes
        assert 0 < image.static_ram_bytes <= board.data_bytes
        assert 1000 < image.flash_bytes < 20000
        assert image.sizes.model_bytes > 0


@pytest.mark.slow
@needs_gcc
def test_two_models_by_turns_stay_apart() -> None:
    first, second = build_firmware("qemu-m4", NEGATE), build_firmware("qemu-m4", FAULTS)
    assert (first.sizes.arena_bytes, second.sizes.arena_bytes) == (24640, 256)
    before = first.elf.read_bytes()
    assert build_firmware("qemu-m4", NEGATE).elf.read_bytes() == before


@pytest.mark.slow
@needs_gcc
def test_a_changed_model_is_rebuilt(tmp_path: Path) -> None:
    folder = model_of(tmp_path / "negate", 32768)
    assert build_firmware("qemu-m4", folder).sizes.arena_bytes == 32768
    shutil.rmtree(folder)
    model_of(folder, 65536)
    assert build_firmware("qemu-m4", folder).sizes.arena_bytes == 65536


@pytest.mark.slow
@needs_gcc
def test_an_arena_too_large_says_by_how_many_bytes(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFit, match=r"does not fit h7: it exceeds AXI \(524288 bytes\) by 16 bytes"):
        build_firmware("h7", model_of(tmp_path / "big", 512 * 1024 + 16))


@pytest.mark.slow
@needs_gcc
def test_the_largest_arena_links(tmp_path: Path) -> None:
    limit = load_board("f4").arena_limit_bytes
    assert build_firmware("f4", model_of(tmp_path / "full", limit)).sizes.arena_bytes == limit


@pytest.mark.slow
@needs_gcc
def test_weights_too_large_for_flash(tmp_path: Path) -> None:
    code = "extern const unsigned char big[524288];\nconst unsigned char big[524288] = {1};\n"
    folder = model_of(tmp_path / "weights", 4096 * 6, code=code)
    text = (folder / "negate.c").read_text()
    run, switch = "static tess_status_t run(", "switch (step) {"
    text = text.replace(run, f"extern const unsigned char big[524288];\n{run}")
    text = text.replace(switch, f"*tess_at(memories, HEAD) = big[*tess_at(memories, IN)];\n        {switch}")
    (folder / "negate.c").write_text(text)
    with pytest.raises(DoesNotFit, match=r"does not fit f4: it exceeds FLASH \(524288 bytes\) by \d+ bytes"):
        build_firmware("f4", folder)


@pytest.mark.slow
@needs_gcc
def test_a_compiler_error_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"does not build: .*more\.c:1:\d+: error: ") as caught:
        build_firmware("qemu-m4", model_of(tmp_path / "broken", 24576, code="int x = nonsense;\n"))
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no generated model"):
        build_firmware("qemu-m4", tmp_path)


def test_an_unknown_app() -> None:
    with pytest.raises(BadInput, match="no application 'dance'"):
        build_firmware("qemu-m4", NEGATE, app="dance")


def test_a_simulator_has_no_chip() -> None:
    with pytest.raises(BoardError, match="is a simulator"):
        build_firmware("qemu-m7", NEGATE, simulated=False)


def test_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tessera.firmware.build._packaged_compiler", lambda: False)
    with pytest.raises(ToolMissing, match="gcc-arm-none-eabi"):
        build_firmware("qemu-m4", NEGATE)
