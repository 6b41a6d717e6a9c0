"""From the decisions of a stage (region.py) to its sweeps: ranges relative to a map's own steps become ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

from tessera.schedule.net import Map, Net
from tessera.schedule.reach import Span, last_step
from tessera.schedule.region import FULL, MapChoice, StageCost
from tessera.schedule.schedule import MapPlan, Stage, Sweep


@dataclass(frozen=True, slots=True)
class _Pace:
    """A map along one axis: its span, how many rows it has, and how far a step of it goes at the image."""

    span: Span
    size: int
    advance: Fraction


def build_stage(net: Net, i: int, j: int, cost: StageCost) -> Stage:
    """The stage of nodes [i..j]."""
    maps = [_domain(net, choice) for choice in cost.choices]
    rows, row_ticks = _sweeps(
        [_Pace(c.rows, m.h, c.rows.step * m.scale_h) for c, m in zip(cost.choices, maps, strict=True)]
    )
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


def _cols(cost: StageCost, maps: Sequence[Map]) -> tuple[list[Sweep], int]:
    """Whole rows in one tick; else spans, and a pulled row at the first tick."""
    if cost.tile.cols >= FULL:
        return [Sweep(1, 0, m.w, 0, m.w) for m in maps], 1
    spans = [k for k, c in enumerate(cost.choices) if k >= cost.pulled or c.windowed]
    paces = [_Pace(c.cols, m.w, c.cols.step * m.scale_w) for c, m in ((cost.choices[k], maps[k]) for k in spans)]
    sweeps, ticks = _sweeps(paces)
    found = dict(zip(spans, sweeps, strict=True))
    return [found.get(k, Sweep(ticks, 0, m.w, 0, m.w)) for k, m in enumerate(maps)], ticks


def _sweeps(paces: Sequence[_Pace]) -> tuple[list[Sweep], int]:
    """Step t of a map that fires every `period` ticks ends at tick period * (t + 1) - 1, counted from the image's first
    row; the stage's ticks begin with the first step that any map takes and end with the last."""
    unit = paces[0].advance
    for p in paces[1:]:
        unit = _common(unit, p.advance)
    periods = [int(p.advance / unit) for p in paces]
    starts = [k * (p.span.first + 1) - 1 for k, p in zip(periods, paces, strict=True)]
    ends = [k * (last_step(p.span, p.size) + 1) for k, p in zip(periods, paces, strict=True)]
    start = min(starts)
    return [
        Sweep(k, at - start, p.span.step, p.span.step * p.span.first + p.span.begin, p.span.size)
        for k, at, p in zip(periods, starts, paces, strict=True)
    ], max(ends) - start


def _common(a: Fraction, b: Fraction) -> Fraction:
    return Fraction(gcd(a.numerator * b.denominator, b.numerator * a.denominator), a.denominator * b.denominator)
