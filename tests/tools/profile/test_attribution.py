"""Whose an instruction is: the step's that ran it, or the engine's."""

from __future__ import annotations

from profile_trace import CALLS, TRACE
from tessera.profile.decode import Kind
from tessera.profile.hot import hot_blocks
from tessera.profile.profile import Tally, make_profile


def test_steps_have_their_kernel_and_what_it_calls() -> None:
    first, second = make_profile(TRACE, CALLS).steps
    assert {name: t.instructions for name, t in first.part.functions} == {"kernel": 70, "helper": 4}
    assert {name: t.instructions for name, t in second.part.functions} == {"kernel": 30}
    assert (first.operator, first.kernel, first.macs, first.stack_bytes) == ("first", "tess_kernel", 50, 100)


def test_the_engine_has_the_rest_of_a_run_without_a_hook() -> None:
    """Two of the helper's runs were its own; what only the hook needs is nobody's."""
    profile = make_profile(TRACE, CALLS)
    assert {name: t.instructions for name, t in profile.engine.functions} == {"engine": 10, "helper": 8}
    assert profile.total.instructions == 70 + 4 + 30 + 10 + 8
    assert profile.engine.loads == (10,)
    assert profile.engine.stores == (0,)
    assert profile.stack_bytes == 180


def test_kernels_sum_up_their_steps() -> None:
    assert make_profile(TRACE, CALLS).kernels()["tess_kernel"][:2] == (2, 100)


def test_tallies_add_and_subtract() -> None:
    a = Tally(5, {Kind.LOAD: 2, Kind.OTHER: 3}, 1, 1, {"cortex-m4": 7.0})
    b = Tally(3, {Kind.LOAD: 1, Kind.OTHER: 2}, 1, 0, {"cortex-m4": 2.0})
    assert (a + b) - b == a + Tally()
    assert (a - b).kinds[Kind.LOAD] == 1


def test_the_hottest_block_is_listed_instruction_by_instruction() -> None:
    (block,) = hot_blocks(TRACE, "cortex-m4", 1)
    assert (block.function, block.address, block.count, len(block.lines)) == ("kernel", 0x20, 10, 10)
    assert block.lines[0].text == "nop"
    assert block.lines[0].cycles == (1.0, 0.5)
