"""What is asked for is what is found: limits of the finished plan, not of the search's estimates."""

from __future__ import annotations

from dataclasses import replace

import pytest
from networks import Network
from search_nets import chain, squeezed, two_branches

from tessera.ir import attrs as ir
from tessera.ir.graph import Graph
from tessera.memory.verify import verify_plan
from tessera.schedule import space
from tessera.schedule.cost import macs, macs_executed
from tessera.schedule.find import Found, find_schedule
from tessera.schedule.options import DEFAULT, ScheduleOptions
from tessera.schedule.schedule import InputMode
from tessera.schedule.verify import verify_schedule

STREAMED = replace(DEFAULT, input_mode=InputMode.STREAMED)


def find(graph: Graph, options: ScheduleOptions = DEFAULT, limit_bytes: int | None = None) -> Found:
    """As on the command line, where a limit of SRAM less the rest of SRAM is `limit_bytes`."""
    if limit_bytes is not None:
        options = replace(options, sram_bytes=limit_bytes)
    found = find_schedule(graph, options, limit_bytes, time_limit_s=1.0)
    verify_schedule(found.schedule)
    verify_plan(found.schedule, found.plan)
    assert found.model_macs == macs(graph)
    assert found.factor * found.model_macs == pytest.approx(macs_executed(found.schedule))
    return found


def test_without_a_limit_layers_run() -> None:
    found = find(chain())
    assert found.fits
    assert all(stage.is_layer for stage in found.schedule.stages)
    assert found.factor == 1


@pytest.mark.parametrize("mode", list(InputMode))
@pytest.mark.parametrize("graph", [chain(), pytest.param(two_branches(), marks=pytest.mark.slow)])
def test_a_limit_is_kept_by_the_plan(graph: Graph, mode: InputMode) -> None:
    """From what layers need down to the least: never more than asked, never less work for less memory."""
    options = replace(DEFAULT, input_mode=mode)
    least = find(graph, replace(options, max_macs=2.0))
    assert least.fits
    work: list[float] = []
    for limit in (4096, 2048, least.needed_bytes + 100, least.needed_bytes):
        found = find(graph, options, limit)
        assert found.fits
        assert found.needed_bytes <= limit
        assert found.schedule.input_mode is mode
        work.append(found.factor)
    assert work == sorted(work)


@pytest.mark.parametrize("graph", [chain(), squeezed()], ids=["chain", "squeezed"])
def test_an_impossible_limit_gives_the_nearest(graph: Graph) -> None:
    found = find(graph, STREAMED, 300)
    assert not found.fits
    assert found.needed_bytes > 300
    assert found.needed_bytes <= find(graph, replace(STREAMED, max_macs=1.5)).needed_bytes


def test_more_macs_never_need_more_memory() -> None:
    """The plan may be some bytes above the worst stage: packing."""
    sizes: list[int] = []
    for factor in (1.0, 1.1, 1.4, 2.0):
        found = find(squeezed(), replace(STREAMED, max_macs=factor))
        assert found.fits
        assert found.factor <= factor
        sizes.append(found.needed_bytes)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0]


def test_both_limits() -> None:
    least = find(chain(), replace(STREAMED, max_macs=1.5))
    once = find(chain(), replace(STREAMED, max_macs=1.0))
    assert least.needed_bytes < once.needed_bytes
    both = find(chain(), replace(STREAMED, max_macs=1.5), once.needed_bytes)
    assert both.fits
    assert both.factor <= 1.5
    too_few = find(chain(), replace(STREAMED, max_macs=1.0), least.needed_bytes)
    assert not too_few.fits
    assert too_few.factor == 1


def test_what_less_memory_would_cost() -> None:
    once = find(chain(), replace(STREAMED, max_macs=1.0))
    assert once.lower_factor is None  # nothing that the search has found
    loose = find(chain(), STREAMED, once.needed_bytes + 200)
    assert loose.needed_bytes > once.needed_bytes  # less work for more memory
    assert loose.lower_factor == 1  # and still less memory without computing anything again


@pytest.mark.parametrize("limit", [None, 1400])
def test_the_same_again(monkeypatch: pytest.MonkeyPatch, limit: int | None) -> None:
    """The same schedule and plan, whichever process found a stage."""
    first = find(squeezed(), STREAMED, limit)
    monkeypatch.setattr(space, "PROCESSES", 1)
    monkeypatch.setattr(space, "SMALL_JOB", 1)
    second = find(squeezed(), STREAMED, limit)
    assert first.schedule.stages == second.schedule.stages
    assert first.plan == second.plan
    assert [op.name for op in first.schedule.graph.ops] == [op.name for op in second.schedule.graph.ops]


def test_an_image_that_two_layers_read_at_two_paces_comes_once() -> None:
    """Parts of it may be asked for again, but no stage of these tiles asks for the same parts for both readers."""
    n = Network()
    image = n.input(2, 7, 2)
    graph = n.graph(n.softmax(image), n.conv(image, 2, (7, 1), (2, 2), (2, 3, 0, 0)))
    assert find(graph, replace(DEFAULT, input_mode=InputMode.REREAD)).schedule.input_mode is InputMode.STREAMED


@pytest.mark.parametrize("mode", list(InputMode))
def test_an_image_that_no_stage_can_pull_is_resident(mode: InputMode) -> None:
    """Three rows from each: no tile has three rows."""
    n = Network()
    graph = n.graph(n.conv(n.resize(ir.ResizeNearest, n.input(4, 4, 2), (3, 3), False, False), 2, (1, 1)))
    found = find(graph, replace(DEFAULT, input_mode=mode))
    assert found.fits
    assert found.schedule.input_mode is InputMode.RESIDENT


def test_a_network_without_macs() -> None:
    n = Network()
    graph = n.graph(n.lookup(n.input(4, 4, 2)))
    found = find(graph, replace(DEFAULT, max_macs=1.5))
    assert found.factor == 1
    assert found.lower_factor is None
