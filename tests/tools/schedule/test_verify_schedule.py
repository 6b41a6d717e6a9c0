from dataclasses import replace

import pytest
from hypothesis import given, settings
from small_graphs import Builder, graphs, three_ops

from tessera.ir.graph import Graph, TensorId
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.schedule import Schedule, Stage
from tessera.schedule.verify import ScheduleError, verify_schedule


@given(graphs())
@settings(max_examples=50, deadline=None)
def test_accepts_what_is_made(graph: Graph) -> None:
    verify_schedule(make_schedule(graph))


@pytest.mark.parametrize(
    ("stages", "word"),
    [
        ((0, 1), "never runs"),
        ((0, 1, 1, 2), "runs twice"),
        ((1, 0, 2), "before it exists"),
        ((0, 1, 2, 3), "runs operator 3 of 3"),
    ],
)
def test_rejects_wrong_orders(stages: tuple[int, ...], word: str) -> None:
    with pytest.raises(ScheduleError, match=word):
        verify_schedule(Schedule(three_ops(), tuple(Stage((i,)) for i in stages)))


def test_rejects_views_and_empty_stages() -> None:
    b = Builder()
    graph = b.graph(b.lookup(b.reshape(b.input(1, 2, 3, 4), 1, 6, 1, 4)))
    with pytest.raises(ScheduleError, match="a view"):
        verify_schedule(Schedule(graph, (Stage((0,)), Stage((1,)))))
    with pytest.raises(ScheduleError, match="empty"):
        verify_schedule(Schedule(graph, (Stage(()), Stage((1,)))))
    verify_schedule(Schedule(graph, (Stage((1,)),)))


def test_an_output_that_nobody_makes() -> None:
    graph = three_ops()
    orphan = replace(graph, tensors=(*graph.tensors, graph.tensors[0]), outputs=(TensorId(len(graph.tensors)),))
    with pytest.raises(ScheduleError, match="never made"):
        verify_schedule(Schedule(orphan, tuple(Stage((i,)) for i in range(3))))
