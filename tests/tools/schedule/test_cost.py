from hypothesis import HealthCheck, assume, given, settings
from random_stages import streamed_schedules
from small_graphs import Builder, three_ops
from storage_machine import run_stage, separate

from tessera.schedule.cost import (
    input_bytes_pulled,
    macs,
    macs_executed,
    op_macs,
    op_macs_executed,
    peak_stage,
    stage_memory,
)
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.schedule import InputMode, MapPlan, Schedule, Stage, Sweep
from tessera.schedule.verify import verify_schedule


def test_macs() -> None:
    graph = three_ops()
    assert [op_macs(graph, op) for op in graph.ops] == [8 * 8 * 8 * 27, 8 * 8 * 8 * 9, 8 * 8 * 16 * 8]
    assert macs(graph) == macs_executed(make_schedule(graph)) == sum(op_macs(graph, op) for op in graph.ops)
    b = Builder()
    assert macs(b.graph(b.fully_connected(b.lookup(b.input(2, 10)), 5))) == 100


def test_stage_memory() -> None:
    schedule = make_schedule(three_ops())
    assert [s.live_bytes for s in stage_memory(schedule)] == [768 + 512, 512 + 512 + 3 * 8, 512 + 1024]
    peak = peak_stage(schedule)
    assert peak is not None
    assert (peak.stage, peak.ops) == (2, ("conv2d2",))
    assert peak.live == (("conv2d2", 1024), ("depthwiseconv2d1", 512))


def test_views_and_residuals_are_counted_once() -> None:
    b = Builder()
    x = b.input(1, 4, 4, 2)
    view = b.reshape(x, 1, 2, 8, 2)
    graph = b.graph(b.add(b.lookup(view), view))
    assert [s.live_bytes for s in stage_memory(make_schedule(graph))] == [64, 96]


def test_pixels_computed_again_are_counted_again() -> None:
    """A 3 x 3 convolution of stride 2 over 9 x 8, whose input is computed in pieces of 3 rows and 5 columns."""
    b = Builder()
    x = b.input(1, 9, 8, 2)
    graph = b.graph(b.conv(b.conv(x, 4), 8, (3, 3), (2, 2), (0, 0, 1, 0)))
    first, second = (op.outputs[0] for op in graph.ops)
    maps = (
        MapPlan(x, Sweep(1, 0, 2, 0, 3), Sweep(1, 0, 4, -1, 5), 0, windowed=True),
        MapPlan(first, Sweep(1, 0, 2, 0, 3), Sweep(1, 0, 4, -1, 5), 0, windowed=True),
        MapPlan(second, Sweep(1, 0, 1, 0, 1), Sweep(1, 0, 2, 0, 2), 4),
    )
    schedule = Schedule(graph, (Stage((0, 1), maps, 4, 2),), InputMode.REREAD)
    verify_schedule(schedule)
    pixels = (4 * 3) * (4 + 5)  # the first span starts in the padding
    assert macs_executed(schedule) == pixels * 4 * 2 + 4 * 4 * 8 * 9 * 4
    assert macs(graph) == 9 * 8 * 4 * 2 + 4 * 4 * 8 * 9 * 4
    assert input_bytes_pulled(schedule) == pixels * 2
    assert input_bytes_pulled(make_schedule(graph)) == 0


@given(streamed_schedules())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_executed_macs_are_those_of_the_pixels_that_a_stage_computes(drawn: tuple[Schedule, int]) -> None:
    """Counted by the machine that runs the stage byte by byte."""
    schedule, number = drawn
    assume(number >= 0)
    graph, pixels = schedule.graph, run_stage(schedule, number, separate(schedule, number))
    for op in (graph.ops[i] for i in schedule.stages[number].ops):
        once, size = op_macs(graph, op), graph.tensor(op.outputs[0]).size // graph.tensor(op.outputs[0]).shape[-1]
        assert op_macs_executed(schedule, number, op) * size == once * (pixels[op.outputs[0]] if once else 0)
    pulled = [m.tensor for m in schedule.stages[number].maps if m.tensor in graph.inputs]
    assert input_bytes_pulled(schedule) == sum(pixels[t] * graph.tensor(t).shape[3] for t in pulled)


def test_stage_memory_of_a_streamed_stage_is_that_of_its_worst_slot() -> None:
    b = Builder()
    x = b.input(1, 4, 4, 2)
    graph = b.graph(b.conv(b.depthwise(b.conv(x, 8), (3, 3), padding=(1, 1, 1, 1)), 2))
    first, second, last = (op.outputs[0] for op in graph.ops)
    cols = Sweep(1, 0, 4, 0, 4)
    maps = (
        MapPlan(first, Sweep(1, 0, 1, 0, 1), cols, 2, windowed=True),
        MapPlan(second, Sweep(1, 0, 1, -1, 1), cols, 0, windowed=True),
        MapPlan(last, Sweep(1, 0, 1, -1, 1), cols, 4),
    )
    schedule = Schedule(graph, (Stage((0, 1, 2), maps, 5),))
    verify_schedule(schedule)
    (memory,) = stage_memory(schedule)
    assert memory.live == (
        ("conv2d0 (lines)", 64),
        ("input0", 32),
        ("conv2d0 (window)", 32),
        ("conv2d2", 32),
        ("depthwiseconv2d1 (window)", 32),
    )
