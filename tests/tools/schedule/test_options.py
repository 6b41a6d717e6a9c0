"""Options of the command line that say what schedule is wanted."""

import pytest

from tessera.errors import BadInput
from tessera.schedule.options import ScheduleOptions, parse_options
from tessera.schedule.schedule import InputMode


@pytest.mark.parametrize(
    ("text", "nbytes"),
    [
        ("65536", 65536),
        ("64k", 65536),
        ("64K", 65536),
        ("64 KiB", 65536),
        ("64kB", 64000),
        ("62.5kB", 62500),
        ("0.5M", 524288),
        ("1MB", 1000000),
        ("1MiB", 1048576),
        ("100B", 100),
        ("1", 1),
    ],
)
def test_sram_is_bytes_or_has_a_unit(text: str, nbytes: int) -> None:
    assert parse_options(sram=text).sram_bytes == nbytes


@pytest.mark.parametrize("text", ["64q", "k", "-5", "64 k B", "1e5", "nan", "0x100", "64,000", "0", "0.1", "k64", " "])
def test_a_bad_sram_is_one_sentence(text: str) -> None:
    with pytest.raises(BadInput, match=r"^--sram [^\n]* must be [^\n]*$"):
        parse_options(sram=text)


@pytest.mark.parametrize(("text", "factor"), [("1", 1.0), ("1.14", 1.14), ("30", 30.0)])
def test_macs_are_a_factor(text: str, factor: float) -> None:
    assert parse_options(max_macs=text).max_macs == factor


@pytest.mark.parametrize("text", ["0.99", "-1", "nan", "inf", "two", "1,5"])
def test_a_bad_factor_is_one_sentence(text: str) -> None:
    with pytest.raises(BadInput, match=r"^--max-macs [^\n]* at least 1[^\n]*$"):
        parse_options(max_macs=text)


@pytest.mark.parametrize("mode", InputMode)
def test_input_modes_go_by_their_names(mode: InputMode) -> None:
    assert parse_options(mode.value) == ScheduleOptions(mode)


def test_a_file_as_input_mode_points_to_image() -> None:
    with pytest.raises(BadInput, match=r"--input photo\.png: must be resident .* given with --image"):
        parse_options("photo.png")


def test_nothing_given_is_the_board_and_the_least_work() -> None:
    assert parse_options() == ScheduleOptions(InputMode.RESIDENT, None, None)
