import xml.etree.ElementTree as ET
from dataclasses import replace

from hypothesis import given, settings
from small_graphs import graphs, three_ops

from tessera.ir.graph import Graph
from tessera.memory.planner import plan_memory
from tessera.report.memory_svg import memory_svg
from tessera.schedule.layerwise import make_schedule

SVG = "{http://www.w3.org/2000/svg}"


@given(graphs(max_ops=10))
@settings(max_examples=40, deadline=None)
def test_every_buffer_is_drawn_and_named(graph: Graph) -> None:
    schedule = make_schedule(graph)
    plan = plan_memory(schedule, time_limit_s=0.1)
    text = memory_svg(schedule, plan, "a < b & c")
    root = ET.fromstring(text)
    tips = [path.findtext(f"{SVG}title", "") for path in root.iter(f"{SVG}path")]
    assert [tip.split("\n")[0] for tip in tips] == [b.name for b in plan.buffers]
    words = " ".join(root.itertext())
    assert all(f"{b.nbytes:,} B" in words for b in plan.buffers)
    assert memory_svg(schedule, plan, "a < b & c") == text


def test_lines_stages_and_slopes() -> None:
    schedule = make_schedule(three_ops())
    plan = plan_memory(schedule)
    text = memory_svg(schedule, plan, "toy")
    for part in ("0 conv 3x3 /2", "1 dw 3x3", "2 conv 1x1", "proven least", "2 outputs slide over their input"):
        assert part in text
    paths = [path.get("d", "") for path in ET.fromstring(text).iter(f"{SVG}path")]
    slanted = [d for d in paths if len({p.split()[0] for p in d.strip("MZ ").split(" L")}) > 2]
    assert len(slanted) == 3, "each border on a slope bends the outline inside the buffer, but for the first buffer"
    other = replace(plan, lower_bound_bytes=plan.lower_bound_bytes - 16, optimal=False)
    assert f"lower bound {plan.lower_bound_bytes - 16:,} B" in memory_svg(schedule, other, "toy")
