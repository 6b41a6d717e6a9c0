import re
import xml.etree.ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.bench.peers import PEER_POINTS, TFLM, PeerPoint, peer_points
from tessera.report.pareto import FrontPoint, pareto_svg
from tessera.schedule.schedule import InputMode

SVG = "{http://www.w3.org/2000/svg}"

points = st.builds(
    FrontPoint,
    bytes=st.integers(1000, 3_000_000),
    macs=st.integers(1, 10**9),
    factor=st.floats(1, 4),
    mode=st.sampled_from(InputMode),
)
peers = st.builds(
    PeerPoint,
    who=st.sampled_from(["one", "two", "three"]),
    nbytes=st.integers(1000, 3_000_000),
    factor=st.none() | st.floats(1, 4),
    image=st.booleans(),
)


def number(element: ET.Element, name: str) -> float:
    return float(element.get(name, "nan"))


@given(st.lists(points, min_size=1, max_size=12), st.lists(peers, max_size=8))
@settings(max_examples=60, deadline=None)
def test_every_point_is_drawn_where_it_belongs(front: list[FrontPoint], others: list[PeerPoint]) -> None:
    text = pareto_svg(front, others, "a < b")
    assert pareto_svg(front, others, "a < b") == text
    root = ET.fromstring(text)
    dots = [c for c in root.iter(f"{SVG}circle") if c.find(f"{SVG}title") is not None]
    assert len(dots) == len(front)
    at = {}
    for dot in dots:
        numbers = re.findall(r"[\d.,]*\d", dot.findtext(f"{SVG}title", ""))
        at[int(numbers[0].replace(",", "")), float(numbers[2])] = number(dot, "cx"), number(dot, "cy")
    for (a, f), (x, y) in at.items():
        for (b, g), (u, v) in at.items():
            assert (x <= u) or a > b
            assert (y >= v) or f > g
    diamonds = [p for p in root.iter(f"{SVG}path") if p.find(f"{SVG}title") is not None]
    assert len(diamonds) == sum(p.factor is not None for p in others)
    rules = [t for t in root.itertext() if "work not published" in t]
    assert len(rules) == sum(p.factor is None for p in others)


def test_labels_are_apart() -> None:
    """Of a real front beside all that is known: no label on another."""
    front = [
        FrontPoint(b, 18_900_000, f, InputMode.STREAMED)
        for b, f in ((18_600, 1.0), (13_900, 1.05), (12_300, 1.15), (11_900, 1.25))
    ]
    text = pareto_svg(front, peer_points("mbv2_035_144_random_int8"), "MobileNetV2")
    boxes = []
    for t in ET.fromstring(text).iter(f"{SVG}text"):
        if t.text and (" kB" in t.text or " MB" in t.text) and t.get("text-anchor") is None:
            x, y = number(t, "x"), number(t, "y")
            boxes.append((x, y - 8, x + 5.5 * len(t.text), y))
    assert len(boxes) >= 5
    for n, a in enumerate(boxes):
        for b in boxes[n + 1 :]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_what_is_known_of_others() -> None:
    for model, known in PEER_POINTS.items():
        everything = peer_points(model)
        assert set(known) <= set(everything)
        assert (everything[0].who == "TFLM") == (model in TFLM)
        assert all(p.factor is None or p.factor >= 1 for p in everything)
    assert peer_points("no such model") == ()
