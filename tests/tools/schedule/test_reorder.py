from collections.abc import Iterator

from hypothesis import given, settings
from small_graphs import Builder, graphs

from tessera.ir.graph import Graph
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.peak import PeakModel, make_peak_model
from tessera.schedule.reorder import _beam, find_order


def all_orders(model: PeakModel, done: int = 0) -> Iterator[tuple[int, ...]]:
    if done == model.everything:
        yield ()
    for node in model.ready(done):
        for rest in all_orders(model, done | 1 << node):
            yield (node, *rest)


@given(graphs(max_ops=7))
@settings(max_examples=300, deadline=None)
def test_equals_the_best_of_all_orders(graph: Graph) -> None:
    model = make_peak_model(graph)
    peaks = {order: model.peak(order) for order in all_orders(model)}
    found = find_order(graph)
    nodes = tuple([n.op for n in model.nodes].index(op) for op in found.ops)
    assert found.exact
    assert found.peak_bytes == peaks[nodes] == min(peaks.values())
    assert nodes == min(order for order, peak in peaks.items() if peak == found.peak_bytes), "nearest to file order"


@given(graphs(max_ops=12))
@settings(max_examples=100, deadline=None)
def test_never_worse_than_file_order_even_when_not_exact(graph: Graph) -> None:
    model = make_peak_model(graph)
    in_file = model.peak(range(len(model.nodes)))
    assert find_order(graph, max_states=1).peak_bytes <= in_file
    assert find_order(graph).peak_bytes <= find_order(graph, max_states=1).peak_bytes
    assert sorted(_beam(model)) == list(range(len(model.nodes)))


@given(graphs(max_ops=12))
@settings(max_examples=50, deadline=None)
def test_no_order_beats_the_floor(graph: Graph) -> None:
    assert make_peak_model(graph).floor() <= find_order(graph).peak_bytes


def branches(count: int, length: int) -> Graph:
    """`count` branches that each blow up, run a chain and shrink, then are concatenated."""
    b = Builder()
    x = b.input(1, 8, 8, 4)
    wide = [b.conv(x, 32 + 4 * i) for i in range(count)]  # file order: all wide maps first
    for _ in range(length):
        wide = [b.depthwise(w, (3, 3), padding=(1, 1, 1, 1)) for w in wide]
    return b.graph(b.concat(*[b.conv(w, 2) for w in wide]))


def test_finishes_a_branch_before_it_starts_the_next() -> None:
    graph = branches(3, 1)
    model = make_peak_model(graph)
    found = find_order(graph)
    assert found.exact
    assert found.peak_bytes < 0.6 * model.peak(range(len(model.nodes)))


def test_chains_cost_nothing() -> None:
    graph = branches(6, 25)  # 27**6 sets without collapsing
    assert find_order(graph).exact


def test_a_long_chain_keeps_file_order() -> None:
    b = Builder()
    x = b.input(1, 8, 8, 4)
    for i in range(300):
        x = b.conv(x, 1 + i % 7)
    graph = b.graph(x)
    assert find_order(graph).ops == tuple(range(300))


def test_schedule_is_deterministic() -> None:
    graph = branches(4, 3)
    assert make_schedule(graph).stages == make_schedule(graph).stages
