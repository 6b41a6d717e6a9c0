"""Buffers in several memories: limits hold, the least total is found, hot buffers lie in fast memories."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from byte_machine import run
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from networks import Network
from random_stages import streamed_schedules
from small_graphs import Builder, graphs, three_ops

from tessera.board import BoardMemory
from tessera.ir.graph import Graph
from tessera.kernels.isa import PORTABLE, Isa, KernelSet
from tessera.memory.align import ARENA_ALIGNMENT, align_up
from tessera.memory.buffers import make_buffers, make_overlaps
from tessera.memory.heat import byte_accesses
from tessera.memory.pack import pack
from tessera.memory.plan import Role, SafeOverlap
from tessera.memory.planner import HOT_GROWTH, plan_memory
from tessera.memory.verify import verify_plan
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.schedule import Schedule


def rooms(*limits: int) -> tuple[BoardMemory, ...]:
    return tuple(BoardMemory(f"RAM{k}", limit, k + 1) for k, limit in enumerate(limits))


def least_total(schedule: Schedule, memories: tuple[BoardMemory, ...]) -> int | None:
    """Of all ways to give each buffer a memory; None: no way fits."""
    buffers = make_buffers(schedule)
    overlaps = make_overlaps(schedule, buffers)
    best: int | None = None
    for memory in product(range(len(memories)), repeat=len(buffers)):
        sizes = []
        for k in range(len(memories)):
            ids = [i for i, at in enumerate(memory) if at == k]
            inside = [
                SafeOverlap(ids.index(o.target), ids.index(o.source), o.lead)
                for o in overlaps
                if o.target in ids and o.source in ids
            ]
            sizes.append(pack([buffers[i] for i in ids], inside, 1.0).nbytes)
        if all(size <= m.limit_bytes for size, m in zip(sizes, memories, strict=True)):
            best = min(sum(sizes), best if best is not None else sum(sizes))
    return best


@given(graphs(max_ops=4), st.integers(1, 12), st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_fits_where_anything_fits(graph: Graph, first: int, second: int) -> None:
    schedule = make_schedule(graph)
    assume(len(make_buffers(schedule)) <= 6)
    memories = rooms(16 * first, 16 * second)
    plan = plan_memory(schedule, memories=memories, time_limit_s=1.0)
    run(schedule, plan)
    limits = {m.name: m.limit_bytes for m in memories}
    best = least_total(schedule, memories)
    fits = all(m.bytes <= limits[m.name] for m in plan.memories)
    assert fits == (best is not None)
    if best is not None and len(plan.memories) > 1:
        assert plan.arena_bytes == best


@given(streamed_schedules(), st.integers(1, 4), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_streamed_stages_in_two_memories(drawn: tuple[Schedule, int], numerator: int, denominator: int) -> None:
    schedule, _ = drawn
    whole = plan_memory(schedule, time_limit_s=0).arena_bytes
    first = align_up(whole * min(numerator, denominator) // (denominator + 1), ARENA_ALIGNMENT)
    plan = plan_memory(schedule, memories=rooms(first, whole), time_limit_s=0)
    run(schedule, plan)
    verify_plan(schedule, plan)
    assert plan.arena_bytes <= whole
    assert plan == plan_memory(schedule, memories=rooms(first, whole), time_limit_s=0)


def test_one_memory_that_holds_everything_is_the_first_that_does() -> None:
    schedule = make_schedule(three_ops())
    alone = plan_memory(schedule)
    plan = plan_memory(schedule, memories=rooms(alone.arena_bytes, 1 << 20))
    assert [(m.name, m.bytes) for m in plan.memories] == [("RAM0", alone.arena_bytes)]
    assert plan.optimal


def test_two_memories_hold_what_neither_does() -> None:
    b = Builder()
    x = b.input(1, 8, 8, 2)
    schedule = make_schedule(b.graph(b.conv(x, 2, (3, 3), padding=(1, 1, 1, 1)), x))
    plan = plan_memory(schedule, memories=rooms(128, 144))
    assert sorted(m.bytes for m in plan.memories) == [128, 128]
    assert plan.optimal


def test_too_small_memories_leave_everything_in_the_largest() -> None:
    schedule = make_schedule(three_ops())
    plan = plan_memory(schedule, memories=rooms(64, 128, 96))
    assert [m.name for m in plan.memories] == ["RAM1"]
    assert plan.memories[0].bytes == plan_memory(schedule).arena_bytes


def test_hot_buffers_lie_in_the_fast_memory() -> None:
    """Two maps of one size live side by side; a 3 x 3 convolution reads one of them nine times as often."""
    b = Builder()
    x = b.input(1, 8, 8, 2)
    hot, cold = b.conv(x, 2), b.lookup(x)
    graph = b.graph(b.add(b.conv(hot, 2, (3, 3), padding=(1, 1, 1, 1)), cold))
    schedule = make_schedule(graph)
    alone = plan_memory(schedule).arena_bytes
    plan = plan_memory(schedule, memories=rooms(160, alone))  # the hot one, and the map that slides under it
    assert plan.arena_bytes == alone
    assert plan.memories[plan.place_of(hot).memory].name == "RAM0"
    assert plan.memories[plan.place_of(cold).memory].name == "RAM1"


def test_a_few_more_bytes_are_spent_on_fast_memory() -> None:
    """The map that is read most is made when the largest is gone: to move it makes no other memory smaller."""
    b = Builder()
    x = b.input(1, 16, 16, 4)
    y = b.add(b.conv(x, 4), x)
    hot = b.conv(b.conv(y, 2, (8, 8), (8, 8)), 4)
    schedule = make_schedule(b.graph(b.conv(hot, 64)))
    alone = plan_memory(schedule).arena_bytes
    memories = rooms(32, 1 << 20)
    assert [m.name for m in plan_memory(schedule, memories=memories).memories] == ["RAM1"]
    plan = plan_memory(schedule, memories=memories, hot_first=True)
    assert alone < plan.arena_bytes <= alone + alone // HOT_GROWTH
    assert plan.memories[plan.place_of(hot).memory].name == "RAM0"
    assert not plan.optimal
    run(schedule, plan)


@given(graphs(max_ops=5), st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_hot_buffers_cost_a_few_bytes_at_most(graph: Graph, first: int) -> None:
    schedule = make_schedule(graph)
    alone = plan_memory(schedule, time_limit_s=1.0)
    memories = rooms(16 * first, alone.arena_bytes)
    plan = plan_memory(schedule, memories=memories, hot_first=True, time_limit_s=1.0)
    run(schedule, plan)
    assert plan.arena_bytes <= alone.arena_bytes + alone.arena_bytes // HOT_GROWTH
    limits = {m.name: m.limit_bytes for m in memories}
    assert all(m.bytes <= limits[m.name] for m in plan.memories)


@pytest.mark.parametrize("kernels", [PORTABLE, KernelSet(Isa.ARMV7E_M)], ids=["portable", "fast"])
def test_products_read_the_scratch_where_there_is_one(kernels: KernelSet) -> None:
    """And the map only to bring it there."""
    n = Network()
    x = n.input(8, 8, 3)
    y = n.conv(x, 8, (3, 3), padding=(1, 1, 1, 1))
    z = n.depthwise(y, (3, 3), padding=(1, 1, 1, 1))
    schedule = replace(make_schedule(n.graph(n.conv(z, 16, (1, 1)))), kernels=kernels)
    graph, buffers = schedule.graph, make_buffers(schedule)
    counted = list(zip(buffers, byte_accesses(schedule, buffers), strict=True))
    first, second, third = (graph.ops[stage.ops[0]].outputs[0] for stage in schedule.stages)
    products = {first: 64 * 8 * 27, second: 64 * 8 * 9, third: 64 * 16 * 8}
    fast = kernels.isa is Isa.ARMV7E_M
    assert {b.tensors[0]: accesses for b, accesses in counted if b.role is Role.WHOLE} == {
        x: 64 * 27 if fast else products[first],
        first: 512 + 512,
        second: 512 + (1024 if fast else products[third]),  # at least what is written meanwhile
        third: 1024,
    }
    scratch = {b.tensors[0]: accesses for b, accesses in counted if b.role is Role.SCRATCH}
    assert scratch == (products if fast else {second: products[second]})


@given(streamed_schedules())
@settings(max_examples=30, deadline=None)
def test_every_buffer_that_is_used_is_accessed(drawn: tuple[Schedule, int]) -> None:
    schedule, _ = drawn
    buffers = make_buffers(schedule)
    counts = byte_accesses(schedule, buffers)
    read = {t for op in schedule.graph.ops for t in (*op.inputs, *op.outputs)}
    for buffer, count in zip(buffers, counts, strict=True):
        assert count > 0 or buffer.role is not Role.WHOLE or not read & set(buffer.tensors)


@pytest.mark.parametrize("limits", [(256, 1024), (512, 512, 512)])
def test_the_same_schedule_gives_the_same_plan(limits: tuple[int, ...]) -> None:
    schedule = make_schedule(three_ops())
    assert plan_memory(schedule, memories=rooms(*limits)) == plan_memory(schedule, memories=rooms(*limits))
