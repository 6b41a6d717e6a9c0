from dataclasses import replace
from itertools import product

import pytest
from byte_machine import ClobberedError, run
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from small_graphs import Builder, graphs, three_ops

from tessera.ir.graph import Graph
from tessera.memory.align import ARENA_ALIGNMENT, align_up
from tessera.memory.plan import Memory, MemoryPlan, Place
from tessera.memory.planner import plan_memory
from tessera.memory.verify import PlanError, verify_plan
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.reorder import find_order


@given(graphs(max_ops=10))
@settings(max_examples=200, deadline=None)
def test_plans_hold_and_run(graph: Graph) -> None:
    schedule = make_schedule(graph)
    plan = plan_memory(schedule, time_limit_s=0.2)
    verify_plan(schedule, plan)
    run(schedule, plan)
    assert plan.lower_bound_bytes <= plan.arena_bytes
    assert plan.optimal == (plan.lower_bound_bytes == plan.arena_bytes)
    assert plan.arena_bytes % ARENA_ALIGNMENT == 0
    assert find_order(graph).peak_bytes <= plan.arena_bytes


@given(graphs(max_ops=10))
@settings(max_examples=30, deadline=None)
def test_the_same_schedule_gives_the_same_plan(graph: Graph) -> None:
    schedule = make_schedule(graph)
    assert plan_memory(schedule, time_limit_s=0.2) == plan_memory(schedule, time_limit_s=0.2)


def least_arena(plan: MemoryPlan) -> int:
    """The best of all ways to put one buffer of each live pair below the other."""
    leads = {(o.target, o.source): o.lead for o in plan.overlaps if not o.in_place}
    in_place = {(o.target, o.source) for o in plan.overlaps if o.in_place}
    n = range(len(plan.buffers))
    gap = {(a, b): align_up(min(leads.get((a, b), 1 << 40), plan.buffers[a].nbytes)) for a in n for b in n}
    pairs = [(a, b) for a in n for b in n if a < b and plan.buffers[a].lives_with(plan.buffers[b])]
    best = 1 << 40
    ways = [[(gap[a, b], 0), (0, gap[b, a])] for a, b in pairs]
    for (a, b), choices in zip(pairs, ways, strict=True):
        if (a, b) in in_place or (b, a) in in_place:
            choices.append((0, 0))
    for chosen in product(*ways):
        # a below b by the first, b below a by the second; both 0: at one place
        edges = [(a, b, d) for (a, b), (d, e) in zip(pairs, chosen, strict=True) if d or not e]
        edges += [(b, a, e) for (a, b), (d, e) in zip(pairs, chosen, strict=True) if e or not d]
        at = dict.fromkeys(n, 0)
        for _ in n:
            for a, b, d in edges:
                at[b] = max(at[b], at[a] + d)
        if all(at[b] >= at[a] + d for a, b, d in edges):
            best = min(best, max(at[a] + plan.buffers[a].nbytes for a in n))
    return align_up(best, ARENA_ALIGNMENT)


@given(graphs(max_ops=4))
@settings(max_examples=100, deadline=None)
def test_optimal_means_least(graph: Graph) -> None:
    plan = plan_memory(make_schedule(graph), time_limit_s=2.0)
    assume(sum(a.lives_with(b) for a in plan.buffers for b in plan.buffers) - len(plan.buffers) <= 20)
    assert plan.optimal
    assert plan.arena_bytes == least_arena(plan)


@given(graphs(max_ops=8), st.data())
@settings(max_examples=300, deadline=None)
def test_verify_finds_whatever_the_byte_machine_finds(graph: Graph, data: st.DataObject) -> None:
    """Buffers moved at random: a plan that clobbers a byte never verifies."""
    schedule = make_schedule(graph)
    plan = plan_memory(schedule, time_limit_s=0.2)
    offsets = [place.offset for place in plan.places]
    for _ in range(data.draw(st.integers(1, 2))):
        i = data.draw(st.integers(0, len(offsets) - 1))
        room = (plan.arena_bytes - plan.buffers[i].nbytes) // 4
        offsets[i] = 4 * data.draw(st.integers(max(0, offsets[i] // 4 - 4), min(room, offsets[i] // 4 + 4)))
    moved = replace(plan, places=tuple(Place(0, offset) for offset in offsets))
    try:
        run(schedule, moved)
    except ClobberedError:
        with pytest.raises(PlanError):
            verify_plan(schedule, moved)


def mutations() -> list[tuple[str, str, MemoryPlan]]:
    plan = plan_memory(make_schedule(three_ops()))
    x, a, b, s, c = plan.places
    first, *others = plan.buffers
    return [
        ("one word below its lead", "overwrites", replace(plan, places=(x, a, b, s, Place(0, c.offset + 4)))),
        ("misaligned", "misaligned", replace(plan, places=(Place(0, x.offset + 1), a, b, s, c))),
        ("no such memory", "no memory", replace(plan, places=(Place(1, x.offset), a, b, s, c))),
        ("outside", "outside", replace(plan, memories=(Memory("arena", plan.arena_bytes - 16),))),
        ("negative", "outside", replace(plan, places=(Place(0, -4), a, b, s, c))),
        ("a buffer is missing", "no place", replace(plan, buffers=plan.buffers[:-1], places=plan.places[:-1])),
        ("a buffer is too small", "needs", replace(plan, buffers=(replace(first, nbytes=8), *others))),
        ("two places", "two places", replace(plan, buffers=(*plan.buffers, first), places=(*plan.places, x))),
        ("an offset is missing", "offsets", replace(plan, places=plan.places[:-1])),
        ("not quite in place", "overwrites", replace(plan, places=(x, a, Place(0, b.offset - 4), s, c))),
        ("scratch over what is read", "overwrites", replace(plan, places=(x, a, b, a, c))),
        ("wrong bound", "lower bound", replace(plan, lower_bound_bytes=plan.arena_bytes + 16)),
    ]


@pytest.mark.parametrize(("word", "plan"), [pytest.param(w, p, id=name) for name, w, p in mutations()])
def test_broken_plans_are_caught(word: str, plan: MemoryPlan) -> None:
    with pytest.raises(PlanError, match=word):
        verify_plan(make_schedule(three_ops()), plan)


def test_tensors_that_are_not_views_do_not_share_a_buffer() -> None:
    b = Builder()
    x = b.input(1, 2, 2, 4)
    graph = b.graph(b.add(x, b.lookup(x)))
    schedule = make_schedule(graph)
    plan = plan_memory(schedule)
    first, second, third = plan.buffers
    merged = replace(first, tensors=first.tensors + second.tensors)
    with pytest.raises(PlanError, match="not views"):
        verify_plan(schedule, replace(plan, buffers=(merged, third), places=(plan.places[0], plan.places[2])))


def test_views_share_their_buffer_and_keep_it_alive() -> None:
    b = Builder()
    x = b.lookup(b.input(1, 4, 4, 2))
    view = b.reshape(x, 1, 2, 8, 2)
    graph = b.graph(b.add(b.conv(view, 2), view))
    plan = plan_memory(make_schedule(graph))
    assert plan.place_of(x) == plan.place_of(view)
    assert plan.arena_bytes == 64


def test_an_input_that_is_an_output() -> None:
    b = Builder()
    x = b.input(1, 4, 4, 2)
    graph = b.graph(b.reshape(x, 1, 32), b.lookup(x))
    schedule = make_schedule(graph)
    plan = plan_memory(schedule)
    run(schedule, plan)
    assert plan.arena_bytes == 64


def test_nothing_to_run() -> None:
    b = Builder()
    graph = b.graph(b.reshape(b.input(1, 4, 4, 2), 1, 32))
    plan = plan_memory(make_schedule(graph))
    assert (plan.arena_bytes, plan.optimal) == (32, True)


def test_a_convolution_slides_over_its_input() -> None:
    plan = plan_memory(make_schedule(three_ops()))
    # pointwise 8 -> 16 channels over 64 pixels, the last four from 60 on: the output starts below its input of 512
    assert plan.arena_bytes == align_up(64 * 16 - 60 * 8 + 512, ARENA_ALIGNMENT)
    assert plan.optimal
