import xml.etree.ElementTree as ET
from dataclasses import replace

from hypothesis import given, settings
from small_graphs import graphs, three_ops

from tessera.ir.graph import Graph
from tessera.memory.plan import Memory, MemoryPlan, Place, Role
from tessera.memory.planner import plan_memory
from tessera.report.memory_svg import memory_svg
from tessera.report.svg import HATCHED
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.patches import find_cuts, make_patches, patch_schedule
from tessera.schedule.schedule import InputMode, MapPlan, Schedule, Stage, Sweep

SVG = "{http://www.w3.org/2000/svg}"


def streamed() -> Schedule:
    """three_ops in one stage: rows of the image handed over once, windows of two rows by four columns."""
    graph = three_ops()
    first, second, third = (op.outputs[0] for op in graph.ops)
    rows, cols = Sweep(1, 0, 2, -1, 2), Sweep(1, 0, 4, -1, 4)
    maps = (
        MapPlan(graph.inputs[0], Sweep(1, 0, 4, -1, 4), Sweep(3, 0, 16, 0, 16), 5),
        MapPlan(first, rows, cols, 2, True, 2),
        MapPlan(second, replace(rows, begin=-2), replace(cols, begin=-2), 0, True),
        MapPlan(third, replace(rows, begin=-2), replace(cols, begin=-2), 8),
    )
    return Schedule(graph, (Stage((0, 1, 2), maps, 5, 3),), InputMode.STREAMED)


@given(graphs(max_ops=10))
@settings(max_examples=40, deadline=None)
def test_every_buffer_is_drawn_and_named(graph: Graph) -> None:
    schedule = make_schedule(graph)
    plan = plan_memory(schedule, time_limit_s=0.1)
    text = memory_svg(schedule, plan, "a < b & c")
    root = ET.fromstring(text)
    tips = [path.findtext(f"{SVG}title", "") for path in root.iter(f"{SVG}path")]
    names = [f"{b.name}, scratch" if b.role is Role.SCRATCH else b.name for b in plan.buffers]
    assert [tip.split("\n")[0] for tip in tips] == names
    words = " ".join(root.itertext())
    assert all(f"{b.nbytes:,} B" in words for b in plan.buffers)
    assert memory_svg(schedule, plan, "a < b & c") == text


def test_lines_slots_and_slopes() -> None:
    schedule = make_schedule(three_ops())
    plan = plan_memory(schedule)
    text = memory_svg(schedule, plan, "toy")
    for part in ("0 conv 3x3 /2", "1 dw 3x3", "2 conv 1x1", "proven least", "2 outputs slide over their input"):
        assert part in text
    paths = [path.get("d", "") for path in ET.fromstring(text).iter(f"{SVG}path")]
    slanted = [d for d in paths if len({p.split()[0] for p in d.strip("MZ ").split(" L")}) > 2]
    assert len(slanted) == 3, "each border on a slope bends the outline inside the buffer, but for the first buffer"
    other = replace(plan, lower_bound_bytes=plan.lower_bound_bytes - 16, optimal=False)
    assert f">{plan.lower_bound_bytes - 16:,} B<" in memory_svg(schedule, other, "toy")


def test_scratch_is_hatched() -> None:
    schedule = make_schedule(three_ops())  # a depthwise convolution in place needs some
    plan = plan_memory(schedule)
    text = memory_svg(schedule, plan, "toy")
    root = ET.fromstring(text)
    hatched = [p.findtext(f"{SVG}title", "") for p in root.iter(f"{SVG}path") if p.get("fill") == HATCHED]
    assert len(hatched) == sum(b.role is Role.SCRATCH for b in plan.buffers) > 0
    assert all(", scratch" in tip for tip in hatched)
    assert HATCHED.removeprefix("url(#").removesuffix(")") in {p.get("id") for p in root.iter(f"{SVG}pattern")}


def test_parts_of_a_map_are_told_apart() -> None:
    schedule = streamed()
    plan = plan_memory(schedule)
    text = memory_svg(schedule, plan, "toy")
    tips = {path.findtext(f"{SVG}title", "").split("\n")[0] for path in ET.fromstring(text).iter(f"{SVG}path")}
    assert tips == {
        "input0, rows kept",
        "conv2d0, rows kept",
        "conv2d0, window",
        "conv2d0, columns left",
        "depthwiseconv2d1, window",
        "conv2d2",
    }
    for part in ("stage 0: 5 x 3 ticks", "0 input", "1 conv 3x3 /2", "3 conv 1x1"):
        assert part in text


def test_patches_are_windows_only() -> None:
    graph = three_ops()
    schedule = patch_schedule(graph, make_patches(graph, find_cuts(graph)[-1], 2))
    assert schedule is not None
    tips = ET.fromstring(memory_svg(schedule, plan_memory(schedule), "toy")).itertext()
    assert sum("window\n" in tip for tip in tips) == 3


def test_memories_lie_one_above_the_other() -> None:
    schedule = make_schedule(three_ops())
    plan = plan_memory(schedule)
    fast, slow = Memory("dtcm", 1024), Memory("axi", 2048)
    places = (Place(0, 0), Place(1, 0), *[Place(1, 512)] * (len(plan.buffers) - 2))
    split = MemoryPlan(plan.buffers, (), places, (fast, slow), 0, False)
    text = memory_svg(schedule, split, "toy")
    assert "dtcm: 1,024 B" in text
    assert "axi: 2,048 B" in text
    assert "at [1,024, " in text, "the second memory begins where the first one ends"
