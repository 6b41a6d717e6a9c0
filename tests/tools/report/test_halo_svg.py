import re
import xml.etree.ElementTree as ET

from tessera.nets.mobilenetv2 import MOBILENETV2_RD, build_graph
from tessera.report.halo_svg import halo_svg
from tessera.schedule.patches import find_cuts, make_patches

SVG = "{http://www.w3.org/2000/svg}"


def test_every_map_with_its_halo_around_its_own_share() -> None:
    graph = build_graph(MOBILENETV2_RD, width=0.35, size=96)
    cut = next(c for c in find_cuts(graph) if len(c.ops) == 9)
    patches = make_patches(graph, cut, 3)
    text = halo_svg(graph, patches, "a < b", patch=(1, 2))
    assert halo_svg(graph, patches, "a < b", patch=(1, 2)) == text
    words = " ".join(ET.fromstring(text).itertext())
    regions: list[tuple[int, ...]] = []
    for rect in ET.fromstring(text).iter(f"{SVG}rect"):
        tip = rect.findtext(f"{SVG}title", "")
        if tip:
            top, bottom, left, right = map(int, re.findall(r"-?\d+", tip.split(":")[-1]))
            regions.append((top, bottom + 1, left, right + 1))
    halos, shares = regions[::2], regions[1::2]
    assert len(halos) == len({(graph.tensor(t).shape[1:3], patches.rows[t], patches.cols[t]) for t in patches.rows})
    assert halos[0] == (*patches.rows[graph.inputs[0]][1], *patches.cols[graph.inputs[0]][2])
    for halo, share in zip(halos, shares, strict=True):
        assert halo[0] <= share[0] < share[1] <= halo[1]
        assert halo[2] <= share[2] < share[3] <= halo[3]
    assert halos[-1] == shares[-1], "nothing of the last map is computed twice"
    for part in ("image", "96 x 96 x 3", "patch (1, 2) of 3 x 3", "32 x 32 its own"):
        assert part in words
