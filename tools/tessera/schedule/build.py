"""From the decisions of a stage (region.py) to its sweeps: ranges relative to a map's own steps become ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from tessera.schedule.net import Map, Net
from tessera.schedule.region import FULL, MapChoice, StageCost
from tessera.schedule.schedule import MapPlan, Stage, Sweep


@dataclass(frozen=True, slots=True)
class _Pace:
    """A map along one axis: step t computes [step * t + begin, step * (t + 1) + end), cut to [0, size); `advance` is how
    far a step goes at the image."""

    step: int
    begin: int
    end: int
    size: int
    advance: Fraction


def build_stage(net: Net, i: int, j: int, cost: StageCost) -> Stage:
    """The stage of nodes [i..j]."""
    maps = [_domain(net, choice) for choice in cost.choices]
    rows, row_ticks = _sweeps([_rows(c, m) for c, m in zip(cost.choices, maps, strict=True)])
    cols, col_ticks = _cols(cost, maps)
    plans = tuple(
        MapPlan(c.tensor, row, col, c.lines, c.windowed, c.left)
        for c, row, col in zip(cost.choices, rows, cols, strict=True)
    )
    return Stage(tuple(n.op for n in net.nodes[i : j + 1]), plans, row_ticks, col_ticks)


def _domain(net: Net, choice: MapChoice) -> Map:
    """The map whose rows the choice counts: a reduction's input."""
    maker = net.made_by.get(choice.tensor)
    if maker is not None and net.nodes[maker].reduces:
        return net.maps[net.nodes[maker].sources[0].tensor]
    return net.maps[choice.tensor]


def _rows(choice: MapChoice, m: Map) -> _Pace:
    return _Pace(choice.step, choice.begin, choice.end, m.h, choice.step * m.scale_h)


def _cols(cost: StageCost, maps: Sequence[Map]) -> tuple[list[Sweep], int]:
    """Whole rows in one tick; else spans, and a pulled row at the first tick."""
    whole = [Sweep(1, 0, m.w, 0, m.w) for m in maps]
    if cost.tile.cols >= FULL:
        return whole, 1
    spans = [k for k, (c, m) in enumerate(zip(cost.choices, maps, strict=True)) if not _is_pulled_row(cost, k, c, m)]
    paces = [
        _Pace(c.step_w, c.begin_w, c.end_w, m.w, c.step_w * m.scale_w)
        for c, m in ((cost.choices[k], maps[k]) for k in spans)
    ]
    sweeps, ticks = _sweeps(paces)
    found = dict(zip(spans, sweeps, strict=True))
    return [found.get(k, Sweep(ticks, 0, m.w, 0, m.w)) for k, m in enumerate(maps)], ticks


def _is_pulled_row(cost: StageCost, k: int, choice: MapChoice, m: Map) -> bool:
    return k < cost.pulled and not choice.windowed and choice.step_w == m.w


def _sweeps(paces: Sequence[_Pace]) -> tuple[list[Sweep], int]:
    """Ticks that start with the first row that any map computes and end with the last."""
    unit = paces[0].advance
    for p in paces[1:]:
        unit = _common(unit, p.advance)
    periods = [int(p.advance / unit) for p in paces]
    # step t of a map ends at tick period * (t + 1) - 1, ticks counted from the image's first row
    first = [-((p.step + p.end - 1) // p.step) for p in paces]
    start = min(k * t for k, t in zip(periods, first, strict=True))
    everyone = lcm(*periods)
    start -= start % everyone
    last = [-(-(p.size - p.step - p.end) // p.step) for p in paces]
    ticks = max(k * (t + 1) for k, t in zip(periods, last, strict=True)) - start
    return [
        Sweep(k, k - 1, p.step, p.step * (start // k) + p.begin, p.step + p.end - p.begin)
        for k, p in zip(periods, paces, strict=True)
    ], ticks


def _common(a: Fraction, b: Fraction) -> Fraction:
    return Fraction(gcd(a.numerator * b.denominator, b.numerator * a.denominator), a.denominator * b.denominator)
