"""The cycle models against what others measured."""

from __future__ import annotations

import shutil

import pytest

from tessera.profile.profile import CORES
from tessera.profile.published import PROGRAMS, SNIPPETS, Snippet
from tessera.profile.snippets import assemble, steady_cycles


@pytest.mark.skipif(shutil.which("arm-none-eabi-as") is None, reason="no Arm assembler")
@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda s: f"{s.core}: {s.rule}")
def test_snippets_take_what_was_measured(snippet: Snippet) -> None:
    assert steady_cycles(CORES[snippet.core], assemble(snippet.text)) == snippet.cycles


def test_whole_programs_are_within_five_percent() -> None:
    for program in PROGRAMS:
        assert abs(program.estimated / program.measured - 1) < 0.05, program.name
