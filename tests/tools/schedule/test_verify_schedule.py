from dataclasses import replace

import pytest
from hypothesis import given, settings
from small_graphs import Builder, graphs, three_ops

from tessera.ir.graph import Graph, TensorId
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.schedule import InputMode, MapPlan, Schedule, Stage, Sweep
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


def rows_of_one() -> Schedule:
    """Three operators row by row: the convolution needs two rows of the image above the one that comes, the depthwise
    one two rows above; the image's rows 2 t and 2 t + 1 come at tick t."""
    graph = three_ops()
    x, a, b, c = graph.inputs[0], *(op.outputs[0] for op in graph.ops)
    every = Sweep(1, 0, 8, 0, 8)
    maps = (
        MapPlan(x, Sweep(1, 0, 2, 0, 2), Sweep(1, 0, 16, 0, 16), 4),
        MapPlan(a, Sweep(1, 0, 1, -1, 1), every, 2, windowed=True),
        MapPlan(b, Sweep(1, 0, 1, -2, 1), every, 0, windowed=True),
        MapPlan(c, Sweep(1, 0, 1, -2, 1), every, 8),
    )
    return Schedule(graph, (Stage((0, 1, 2), maps, 10),), InputMode.STREAMED)


def with_maps(schedule: Schedule, *maps: MapPlan) -> Schedule:
    return replace(schedule, stages=(replace(schedule.stages[0], maps=maps),))


def test_accepts_a_stage_by_hand() -> None:
    verify_schedule(rows_of_one())
    verify_schedule(replace(rows_of_one(), input_mode=InputMode.REREAD))


def broken() -> list[tuple[str, Schedule]]:
    good = rows_of_one()
    x, a, b, c = good.stages[0].maps
    stage = good.stages[0]
    twice = replace(a, cols=Sweep(1, 0, 4, 0, 8))
    halves = with_maps(good, replace(x, cols=Sweep(1, 0, 8, 0, 8)), a, b, c)
    return [
        ("which is resident", replace(good, input_mode=InputMode.RESIDENT)),
        ("made elsewhere or in another order", with_maps(good, x, b, a, c)),
        ("made elsewhere or in another order", with_maps(good, x, a, b)),
        ("keeps rows of .*, made elsewhere", with_maps(good, replace(x, tensor=TensorId(1)), a, b, c)),
        ("finds row", with_maps(good, replace(x, lines=3), a, b, c)),
        ("finds row", with_maps(good, x, replace(a, lines=1), b, c)),
        ("not computed yet", with_maps(good, x, a, replace(b, rows=Sweep(1, 0, 1, -1, 1)), c)),
        ("no rows are kept", with_maps(good, x, replace(a, lines=0), b, c)),
        ("come twice", with_maps(good, replace(x, rows=Sweep(1, 0, 2, -1, 3)), a, b, c)),
        ("whole rows", replace(halves, stages=(replace(halves.stages[0], col_ticks=2),))),
        ("never computed", replace(good, stages=(replace(stage, row_ticks=9),))),
        ("left out", with_maps(good, x, a, b, replace(c, rows=Sweep(1, 0, 2, -2, 1)))),
        ("output conv2d2, of which stage 0 keeps parts, is never made", with_maps(good, x, a, b, replace(c, lines=7))),
        ("no ticks", replace(good, stages=(replace(stage, col_ticks=0),))),
        ("does not advance", with_maps(good, x, a, b, replace(c, rows=Sweep(0, 0, 1, -2, 1)))),
        ("keeps 9 rows", with_maps(good, x, a, b, replace(c, lines=9))),
        ("has no window and keeps", with_maps(good, x, a, b, replace(c, left=1))),
        ("do not follow each other", with_maps(good, x, replace(twice, left=1), b, c)),
        ("is no layer", replace(good, stages=(Stage((0, 1)), Stage((2,))))),
        (
            "at which it does not fire",
            with_maps(good, x, replace(a, lines=3), replace(b, rows=Sweep(2, 1, 2, -2, 2)), c),
        ),
    ]


@pytest.mark.parametrize(("word", "schedule"), broken())
def test_rejects_broken_stages(word: str, schedule: Schedule) -> None:
    with pytest.raises(ScheduleError, match=word):
        verify_schedule(schedule)


def test_parts_are_read_in_their_stage_only() -> None:
    good = rows_of_one()
    x, a, b, _ = good.stages[0].maps
    first = replace(good.stages[0], ops=(0, 1), maps=(x, a, b))
    with pytest.raises(ScheduleError, match=r"conv2d2 in stage 1 reads .*1, of which stage 0 keeps parts"):
        verify_schedule(replace(good, stages=(first, Stage((2,)))))
    whole = replace(first, maps=(x, a, replace(b, lines=8, windowed=False)))
    verify_schedule(replace(good, stages=(whole, Stage((2,)))))


def test_a_streamed_input_comes_once() -> None:
    b = Builder()
    x = b.input(1, 4, 4, 2)
    graph = b.graph(b.lookup(x), b.lookup(x))
    plans = [MapPlan(t, Sweep(1, 0, 1, 0, 1), Sweep(1, 0, 4, 0, 4), lines) for t, lines in ((x, 1), (1, 4), (2, 4))]
    stages = tuple(Stage((k,), (plans[0], plans[1 + k]), 4) for k in (0, 1))
    verify_schedule(Schedule(graph, stages, InputMode.REREAD))
    with pytest.raises(ScheduleError, match="stage 1 pulls input0 again"):
        verify_schedule(Schedule(graph, stages, InputMode.STREAMED))
    whole = replace(stages[0], maps=(replace(plans[0], lines=4), plans[1]))
    verify_schedule(Schedule(graph, (whole, Stage((1,))), InputMode.STREAMED))
    with pytest.raises(ScheduleError, match="stage 1 pulls input0 again"):
        verify_schedule(Schedule(graph, (whole, stages[1]), InputMode.REREAD))


def mean_stage(**changes: object) -> Schedule:
    """A mean over spans of two columns, and what would read it in the same stage."""
    b = Builder()
    x = b.input(1, 4, 4, 2)
    mean = b.mean(x)
    graph = b.graph(b.conv(mean, 3))
    plan = MapPlan(mean, Sweep(1, 0, 1, 0, 1), Sweep(1, 0, 2, 0, 2), 4)
    return Schedule(graph, (Stage((0,), (replace(plan, **changes),), 4, 2), Stage((1,))))


def test_means_take_every_pixel_once() -> None:
    verify_schedule(mean_stage())
    for changes, word in (
        ({"cols": Sweep(1, 0, 2, 0, 3)}, "come twice"),
        ({"cols": Sweep(1, 0, 1, 0, 1)}, "never computed"),
        ({"lines": 1}, "keeps its sums, no rows"),
    ):
        with pytest.raises(ScheduleError, match=word):
            verify_schedule(mean_stage(**changes))
