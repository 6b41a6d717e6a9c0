import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from small_graphs import graphs, three_ops
from test_memory_svg import streamed

from tessera.ir.graph import Graph
from tessera.memory.planner import plan_memory
from tessera.report.memory_over_time import HEIGHT, TOP, Planned, memory_over_time_svg
from tessera.schedule.layerwise import make_schedule

SVG = "{http://www.w3.org/2000/svg}"


def planned(label: str, schedule_of: Graph) -> Planned:
    schedule = make_schedule(schedule_of)
    return Planned(label, schedule, plan_memory(schedule, time_limit_s=0.1))


@given(graphs(max_ops=8), graphs(max_ops=4))
@settings(max_examples=30, deadline=None)
def test_all_buffers_of_all_panels_to_one_scale(one: Graph, two: Graph) -> None:
    panels = [planned("one", one), planned("two", two)]
    text = memory_over_time_svg(panels, "a < b")
    assert memory_over_time_svg(panels, "a < b") == text
    drawn = list(ET.fromstring(text).iter(f"{SVG}path"))
    buffers = [b for p in panels for b in p.plan.buffers]
    assert [d.findtext(f"{SVG}title", "").split("\n")[0] for d in drawn] == [b.name for b in buffers]
    most = max(p.plan.arena_bytes for p in panels)
    for path, buffer in zip(drawn, buffers, strict=True):
        ys = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path.get("d", "").replace(" L", "L"))]
        assert max(ys) - min(ys) == pytest.approx(buffer.nbytes * HEIGHT / most, abs=0.11)
        assert min(ys) >= TOP - 0.05


def test_roles_have_colours_and_a_legend() -> None:
    schedule = streamed()
    both = [planned("layers", three_ops()), Planned("streamed", schedule, plan_memory(schedule))]
    text = memory_over_time_svg(both, "toy")
    words = " ".join(ET.fromstring(text).itertext())
    for part in ("graph input", "whole maps", "rows kept", "windows", "columns left", "while a streamed stage runs"):
        assert part in words
    assert "windows" not in memory_over_time_svg(both[:1], "toy")
    arenas = sorted(p.plan.arena_bytes for p in both)
    assert f"1 : {arenas[1] / arenas[0]:.1f}" in words
