"""Memory against work: the front of our schedules for each way to hand over the image, and what other engines need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from math import ceil, floor, log10

from tessera.bench.peers import PeerPoint
from tessera.report.svg import px, render_svg
from tessera.schedule.schedule import InputMode

LEFT, TOP, WIDTH, HEIGHT, RIGHT, BELOW = 70, 98, 760, 400, 170, 60
MODES = {
    InputMode.RESIDENT: ("#3f6fa8", "image in the arena"),
    InputMode.STREAMED: ("#2c7a74", "rows of the image handed over once"),
    InputMode.REREAD: ("#8a5a9e", "image elsewhere, parts handed over again"),
}
PEER_WITH, PEER_WITHOUT = "#b5534a", "#d98c2b"  # its bytes hold the image, or do not
LINE = 13  # px between labels
FOOT = 16  # px below factor 1, so that its dots stand clear of the axis

_Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """A schedule: bytes of arena and scratch, MACs executed, the same over those of the model, how the image comes."""

    bytes: int
    macs: int
    factor: float
    mode: InputMode


@dataclass(frozen=True, slots=True)
class _Mark:
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class _Dot:
    x: float
    y: float
    colour: str
    label: str
    label_x: float
    label_y: float
    tip: str


@dataclass(frozen=True, slots=True)
class _Curve:
    path: str
    colour: str
    dots: tuple[_Dot, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    x: float
    colour: str
    text: str
    diamond: bool


@dataclass(frozen=True, slots=True)
class _Rule:
    """A peer whose work is not known: bytes only."""

    x: float
    colour: str
    label: str
    label_y: float


@dataclass(frozen=True, slots=True)
class _Page:
    title: str
    summary: str
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    bytes_marks: tuple[_Mark, ...]
    factor_marks: tuple[_Mark, ...]
    legend: tuple[_Entry, ...]
    curves: tuple[_Curve, ...]
    peers: tuple[_Dot, ...]
    rules: tuple[_Rule, ...]


@dataclass(frozen=True, slots=True)
class _Scale:
    """Bytes on a logarithmic axis to the right, factors on a linear one upwards."""

    least: float
    most: float
    top_factor: float

    def x(self, nbytes: float) -> float:
        return LEFT + WIDTH * (log10(nbytes) - log10(self.least)) / (log10(self.most) - log10(self.least))

    def y(self, factor: float) -> float:
        return TOP + HEIGHT - FOOT - (HEIGHT - FOOT) * (factor - 1) / (self.top_factor - 1)


def pareto_svg(points: Sequence[FrontPoint], peers: Sequence[PeerPoint], title: str) -> str:
    """An SVG document; the same points give the same text."""
    assert points or peers
    scale = _scale(points, peers)
    boxes: list[_Box] = [_around(scale.x(p.bytes), scale.y(p.factor)) for p in points]
    boxes += [_around(scale.x(p.nbytes), scale.y(p.factor)) for p in peers if p.factor is not None]
    curves = tuple(
        _curve(sorted(same, key=lambda p: (p.bytes, -p.factor)), mode, scale, boxes)
        for mode, same in groupby(sorted(points, key=lambda p: list(InputMode).index(p.mode)), key=lambda p: p.mode)
    )
    legend = _legend(points, peers)
    known = [p for p in peers if p.factor is not None]
    unknown = sorted((p for p in peers if p.factor is None), key=lambda p: p.nbytes)
    page = _Page(
        title=title,
        summary="RAM against multiply-accumulates, the least of both down on the left. Stack and variables come to it",
        width=px(max(LEFT + WIDTH + RIGHT, legend[-1].x + 40 + 6.5 * len(legend[-1].text))),
        height=TOP + HEIGHT + BELOW,
        left=LEFT,
        right=LEFT + WIDTH,
        top=TOP,
        bottom=TOP + HEIGHT,
        bytes_marks=_bytes_marks(scale),
        factor_marks=_factor_marks(scale),
        legend=legend,
        curves=curves,
        peers=_peers(known, scale, boxes),
        rules=tuple(
            _Rule(px(scale.x(p.nbytes)), _peer_colour(p), _peer_label(p), px(TOP + 12 + LINE * n))
            for n, p in enumerate(unknown)
        ),
    )
    return render_svg("pareto.svg.jinja2", page)


def _scale(points: Sequence[FrontPoint], peers: Sequence[PeerPoint]) -> _Scale:
    sizes = [max(p.bytes, 1) for p in points] + [p.nbytes for p in peers]
    factors = [p.factor for p in points] + [p.factor for p in peers if p.factor is not None]
    return _Scale(min(sizes) / 1.25, max(sizes) * 1.25, max(1.1, ceil(10 * max(factors, default=1)) / 10))


def _curve(points: Sequence[FrontPoint], mode: InputMode, scale: _Scale, boxes: list[_Box]) -> _Curve:
    """Steps: until there is memory for the next point, the work is that of the one before. The ends have labels."""
    colour = MODES[mode][0]
    dots: list[_Dot] = []
    path = ""
    corners = [(px(scale.x(p.bytes)), px(scale.y(p.factor))) for p in points]
    for (x, y), (next_x, next_y) in pairwise(corners):
        boxes += [(x, y - 1, next_x, y + 1), (next_x - 1, min(y, next_y), next_x + 1, max(y, next_y))]
    for n, (p, (x, y)) in enumerate(zip(points, corners, strict=True)):
        path += f" H{x} V{y}" if path else f"M{x} {y}"
        tip = f"{p.bytes:,} B, {p.macs:,} MACs, factor {p.factor:.3f}, {MODES[mode][1]}"
        dot = _Dot(x, y, colour, "", 0, 0, tip)
        dots.append(_with_label(dot, _kb(p.bytes), 7.0, boxes) if n in (0, len(points) - 1) else dot)
    return _Curve(path, colour, tuple(dots))


def _peers(peers: Sequence[PeerPoint], scale: _Scale, boxes: list[_Box]) -> tuple[_Dot, ...]:
    """Diamonds; of an engine with many points, the least and the largest have a label."""
    dots: list[_Dot] = []
    for who, same in groupby(sorted(peers, key=lambda p: (p.who, p.nbytes)), key=lambda p: p.who):
        group = list(same)
        for n, p in enumerate(group):
            assert p.factor is not None
            tip = f"{who}: {p.nbytes:,} B, factor {p.factor:g}, {'with' if p.image else 'without'} the image"
            dot = _Dot(px(scale.x(p.nbytes)), px(scale.y(p.factor)), _peer_colour(p), "", 0, 0, tip)
            dots.append(_with_label(dot, _peer_label(p), 6.0, boxes) if n in (0, len(group) - 1) else dot)
    return tuple(dots)


def _around(x: float, y: float) -> _Box:
    return x - 5, y - 5, x + 5, y + 5


def _with_label(dot: _Dot, text: str, character: float, boxes: list[_Box]) -> _Dot:
    """Right of the dot, as near to its height as nothing else stands; adds the label to `boxes`."""
    x, width = dot.x + 8, character * len(text)
    for shift in (3.5, *(3.5 + sign * 4 * n for n in range(1, 40) for sign in (-1, 1))):
        y = dot.y + shift
        box = (x, y - 9, x + width, y + 2)
        if box[3] < TOP + HEIGHT and not any(_meet(box, other) for other in boxes):
            break
    boxes.append(box)
    return replace(dot, label=text, label_x=px(x), label_y=px(y))


def _meet(a: _Box, b: _Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _peer_label(peer: PeerPoint) -> str:
    return f"{peer.who}  {_kb(peer.nbytes)}"


def _peer_colour(peer: PeerPoint) -> str:
    return PEER_WITH if peer.image else PEER_WITHOUT


def _kb(nbytes: int) -> str:
    return f"{nbytes / 1000:.3g} kB" if nbytes < 999_500 else f"{nbytes / 1e6:.3g} MB"


def _bytes_marks(scale: _Scale) -> tuple[_Mark, ...]:
    powers = range(floor(log10(scale.least)), ceil(log10(scale.most)) + 1)
    values = [m * 10**p for p in powers for m in (1, 2, 5)]
    return tuple(_Mark(px(scale.x(v)), _kb(round(v))) for v in values if scale.least <= v <= scale.most)


def _factor_marks(scale: _Scale) -> tuple[_Mark, ...]:
    tenths = round(10 * (scale.top_factor - 1))
    every = 1 if tenths <= 10 else 2 if tenths <= 20 else 5
    return tuple(_Mark(px(scale.y(1 + n / 10)), f"{1 + n / 10:.1f}") for n in range(0, tenths + 1, every))


def _legend(points: Sequence[FrontPoint], peers: Sequence[PeerPoint]) -> tuple[_Entry, ...]:
    texts = [(colour, text, False) for mode, (colour, text) in MODES.items() if any(p.mode is mode for p in points)]
    texts += [(PEER_WITH, "others, image counted", True)] if any(p.image for p in peers) else []
    texts += [(PEER_WITHOUT, "others, image elsewhere", True)] if any(not p.image for p in peers) else []
    entries: list[_Entry] = []
    x = float(LEFT)
    for colour, text, diamond in texts:
        entries.append(_Entry(px(x), colour, text, diamond))
        x += 40 + 6 * len(text)
    return tuple(entries)
