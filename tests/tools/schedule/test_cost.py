from small_graphs import Builder, three_ops

from tessera.schedule.cost import macs, macs_executed, op_macs, peak_stage, stage_memory
from tessera.schedule.layerwise import make_schedule


def test_macs() -> None:
    graph = three_ops()
    assert [op_macs(graph, op) for op in graph.ops] == [8 * 8 * 8 * 27, 8 * 8 * 8 * 9, 8 * 8 * 16 * 8]
    assert macs(graph) == macs_executed(make_schedule(graph)) == sum(op_macs(graph, op) for op in graph.ops)
    b = Builder()
    assert macs(b.graph(b.fully_connected(b.lookup(b.input(2, 10)), 5))) == 100


def test_stage_memory() -> None:
    schedule = make_schedule(three_ops())
    assert [s.live_bytes for s in stage_memory(schedule)] == [768 + 512, 512 + 512, 512 + 1024]
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
