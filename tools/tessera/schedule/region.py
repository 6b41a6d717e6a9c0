"""What a streamed stage costs: bytes, MACs and instructions of nodes [i..j] advancing together, for every i at once.

One reverse sweep from the stage's end. Per open map and reader, two spans (reach.py) say which rows and columns of it
each step of the reader needs. Several readers: the least begin, the greatest end, the common divisor of the steps. What
a map has to have beyond its own step, the gap, is either

    kept    gap rows stay at full width, every row is computed once, or
    again   computed in every step anew: no rows are kept, what is upstream is asked for more.

This one rule gives layers, rows, delayed residuals, patches and stream caches. Columns work alike, inside a step of
rows. (MCUNetV2 3.1: patches; StreamNet: columns and rows kept; both are values of it.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import floor, gcd
from typing import NamedTuple

from tessera.ir.graph import TensorId
from tessera.memory.align import align_up
from tessera.schedule.instructions import PER_COPIED_BYTE, PER_PULLED_BYTE, per_piece
from tessera.schedule.net import Map, Net, Node
from tessera.schedule.reach import Span, again, common_step, computed, last_step, once, through
from tessera.schedule.schedule import InputMode
from tessera.schedule.streamable import ONE_TO_ONE

FULL = 1 << 20
"""Columns of a tile that is as wide as the map."""


@dataclass(frozen=True, slots=True)
class Tile:
    """How far a stage advances at a tick: `rows` rows of its last map; columns of the image, FULL for whole rows.

    `halo_again`: columns that neighbouring tiles share are computed again, as in MCUNetV2's patches.
    """

    rows: int
    cols: int
    halo_again: bool = False


class MapChoice(NamedTuple):
    """What was decided for a map: its spans, counted in its own steps, and what of it is stored (see MapPlan)."""

    tensor: TensorId
    rows: Span
    cols: Span
    lines: int
    windowed: bool
    left: int


class Reach(NamedTuple):
    """What a reader needs of a map in each of its own steps."""

    rows: Span
    cols: Span


Needs = tuple[tuple[TensorId, tuple[Reach, ...]], ...]


class Chain(NamedTuple):
    """The decisions of a partial stage, newest first."""

    choice: MapChoice
    rest: Chain | None


class Label(NamedTuple):
    """A partial stage, from its end to some node."""

    needs: Needs  # open maps
    kept: int  # bytes between ticks
    live: tuple[int, ...]  # window bytes at each node, from the stage's end backwards
    macs: int
    cost: int  # instructions
    ends: tuple[int, int]  # how far the stage goes at least, in the net's units of the image
    last: Chain | None


class StageCost(NamedTuple):
    """A stage: bytes that exist while it runs, MACs and instructions that it executes, and how."""

    bytes: int
    macs: int
    cost: int
    tile: Tile
    choices: tuple[MapChoice, ...]  # pulled inputs, then nodes in order
    pulled: int  # how many inputs are pulled


@dataclass(frozen=True, slots=True)
class Limits:
    """What is not worth keeping: stages above `bytes`, or that execute more than `extra_macs` beyond the model's."""

    bytes: int
    extra_macs: int
    labels: int = 8  # kept per set of open maps


def region_start(net: Net, j: int) -> int:
    """The first node with which a stage that ends at j may start."""
    i = j
    while i > 0 and net.nodes[i - 1].streams and not net.nodes[i - 1].reduces:
        i -= 1
    return i


def stages_ending_at(net: Net, j: int, tile: Tile, limits: Limits, start: int = 0) -> Iterator[tuple[int, StageCost]]:
    """(i, cost) of every stage [i..j] worth having."""
    if not net.nodes[j].streams:
        return
    sweep = _Sweep(net, j, tile, limits)
    labels = [Label((), 0, (), 0, 0, (0, 0), None)]
    for i in range(j, max(start, region_start(net, j)) - 1, -1):
        if i < j and _reads_through_view(net, i, j):
            return
        labels = _prune(sweep.grow(i, labels), limits)
        for label in labels:
            closed = sweep.close(i, label)
            if closed is not None and closed.bytes <= limits.bytes:
                yield i, closed
        labels = [x for x in labels if sweep.floor_bytes + x.kept + max(x.live) <= limits.bytes]
        if not labels:
            return


def _reads_through_view(net: Net, i: int, j: int) -> bool:
    """A node after i reads what node i makes otherwise than row by row: it must be whole before the stage begins."""
    out = net.nodes[i].out
    for n in net.nodes[i + 1 : j + 1]:
        rows = {s.tensor for s in n.sources}
        if any(net.roots[t] == out and t not in rows for t in net.graph.ops[n.op].inputs):
            return True
    return False


class _Widths:
    """Columns that each map advances by at a tick: as the tile says, and a divisor of what its readers advance by."""

    def __init__(self, net: Net, tile: Tile) -> None:
        self._net, self._tile = net, tile
        self._asked: dict[TensorId, int] = {}

    def of(self, tensor: TensorId) -> int:
        """All readers in the stage must have asked."""
        m = self._net.maps[tensor]
        if self._tile.cols >= FULL:
            return m.w
        most, asked = max(1, floor(self._tile.cols / m.scale_w)), self._asked.get(tensor, 0)
        return most if not asked else max(d for d in range(1, min(most, asked) + 1) if asked % d == 0)

    def ask(self, node: Node, width: int) -> None:
        """A node that advances by `width` asks for what it reads."""
        for s in node.sources:
            assert s.cols is not None
            need = through(s.cols, Span(width, 0, 0, 0))
            if need is not None:
                self._asked[s.tensor] = gcd(self._asked.get(s.tensor, 0), need.step)


class _Sweep:
    """The reverse sweep over the stages that end with node j."""

    def __init__(self, net: Net, j: int, tile: Tile, limits: Limits) -> None:
        self.net, self.j, self.tile, self.limits = net, j, tile, limits
        self.after = net.live[j + 1]
        self.floor_bytes = sum(net.sizes[t] for t in self.after)  # every stage ending here needs this much
        self.widths = _Widths(net, tile)
        self.ends = (0, 0)  # of the stage's last map, where most stages end

    def grow(self, i: int, labels: list[Label]) -> list[Label]:
        """The labels with node i in front: every choice for the map that it makes."""
        node = self.net.nodes[i]
        domain = self._domain(node)
        y = self.net.maps[domain]
        width = self.widths.of(domain)
        self.widths.ask(node, width)
        grown: list[Label] = []
        for label in labels:
            needs = next((v for t, v in label.needs if t == node.out), None) or self._unread(node, width)
            others = {t: v for t, v in label.needs if t != node.out}
            for choice in self._choices(node, y, needs, width):
                ends = self._ends(choice, domain, label.ends)
                if i == self.j:
                    self.ends = ends
                macs, work = self._work(node, choice, domain, ends)
                opened = _open(node, dict(others), choice)
                if macs > node.macs + self.limits.extra_macs or opened is None:
                    continue
                kept, live = self._store(node, y, choice, label)
                chain = Chain(choice, label.last)
                grown.append(Label(opened, kept, live, label.macs + macs, label.cost + work, ends, chain))
        return grown

    def _ends(self, choice: MapChoice, domain: TensorId, ends: tuple[int, int]) -> tuple[int, int]:
        """How far a stage goes that goes as far as `ends` and completes this map too."""
        m, (unit_h, unit_w) = self.net.maps[domain], self.net.units[domain]
        row_end = (last_step(choice.rows, m.h) + 1) * choice.rows.step * unit_h
        col_end = (last_step(choice.cols, m.w) + 1) * choice.cols.step * unit_w
        return max(ends[0], row_end), max(ends[1], col_end)

    def _work(self, node: Node, choice: MapChoice, domain: TensorId, ends: tuple[int, int]) -> tuple[int, int]:
        """MACs and instructions of a node in a stage that goes as far as `ends`: it fires until then, whether or not
        anybody reads what it computes again."""
        m, (unit_h, unit_w) = self.net.maps[domain], self.net.units[domain]
        rows = computed(choice.rows, m.h, ends[0] // (choice.rows.step * unit_h) - 1)
        cols = computed(choice.cols, m.w, ends[1] // (choice.cols.step * unit_w) - 1)
        again = node.streamed_instructions * rows * cols // (m.h * m.w)
        around = _overhead(choice, m, rows, cols, per_piece(self.net.kernels))
        return node.macs * rows * cols // (m.h * m.w), again + around

    def _domain(self, node: Node) -> TensorId:
        """The map whose rows a node counts: a reduction's input."""
        return node.sources[0].tensor if node.reduces else node.out

    def _unread(self, node: Node, width: int) -> tuple[Reach, ...]:
        """A map that nobody in the stage reads keeps pace with the stage's last one."""
        end, mine = self.net.maps[self._domain(self.net.nodes[self.j])], self.net.maps[self._domain(node)]
        step = self.tile.rows * end.scale_h / mine.scale_h
        rows = int(step) if step >= 1 and step.denominator == 1 else 1
        return (Reach(Span(rows, 0, 0, 0), Span(width, 0, 0, 0)),)

    def _choices(self, node: Node, y: Map, needs: tuple[Reach, ...], width: int) -> Iterator[MapChoice]:
        """Keep or compute again, in steps of all rows that the readers take together or of one."""
        rows_needed = [q.rows for q in needs]
        together = common_step(rows_needed)
        if any(q.cols.step % width for q in needs):
            return
        cols, left = self._columns(needs, width, y)
        for step in {together, 1}:
            rows, lines = once(rows_needed, step)
            if node.row_by_row and step != 1:
                continue
            if node.out in self.after or node.out == self.net.nodes[self.j].out:
                if step == together or node.row_by_row:
                    yield MapChoice(node.out, rows, once([q.cols for q in needs], width)[0], y.h, False, 0)
                continue
            if not self.tile.halo_again or not lines:
                yield _stored(node.out, y, rows, cols, lines, left)
            if lines and step < y.h and all(q.step == step for q in rows_needed):
                yield _stored(node.out, y, again(rows_needed), cols, 0, left)

    def _columns(self, needs: tuple[Reach, ...], width: int, y: Map) -> tuple[Span, int]:
        """Columns of a windowed map, and how many stay from one span to the next."""
        if self.tile.cols >= FULL:
            return Span(y.w, 0, 0, 0), 0
        needed = [q.cols for q in needs]
        cols, left = once(needed, width)
        if self.tile.halo_again and left and all(q.step == width for q in needed):
            return again(needed), 0
        return cols, left

    def _store(self, node: Node, y: Map, choice: MapChoice, label: Label) -> tuple[int, tuple[int, ...]]:
        """Bytes kept between ticks, and window bytes alive at each node, with this map added."""
        live = (*label.live, 0)
        if choice.windowed:
            kept = align_up(choice.lines * y.w * y.c) + align_up(choice.rows.size * choice.left * y.c)
            return label.kept + kept, self._with_window(live, choice, y, label)
        whole = node.out not in self.after and node.out != self.net.nodes[self.j].out
        return label.kept + (align_up(y.h * y.w * y.c) if whole else 0), live

    def _with_window(self, live: tuple[int, ...], x: MapChoice, m: Map, label: Label) -> tuple[int, ...]:
        """A window is alive from its maker to its last reader, which may write its own over it: element by element."""
        window = align_up(x.rows.size * (x.left + x.cols.size) * m.c)
        reader = min(self.net.last_read.get(x.tensor, -1), self.j)
        first = self.j - reader if reader >= 0 else len(live) - 1
        added = [v + window if k >= first else v for k, v in enumerate(live)]
        if 0 <= first < len(label.live) and self.net.nodes[reader].in_place and not x.left and not x.lines:
            y = next(c for c in _unlinked(label.last) if c.tensor == self.net.nodes[reader].out)
            same = (x.rows, x.cols) == (y.rows, y.cols) and m.c == self.net.maps[y.tensor].c
            added[first] -= window if y.windowed and not y.left and same else 0
        return tuple(added)

    def close(self, i: int, label: Label) -> StageCost | None:
        """The stage that begins with node i."""
        net, kept, live, ends = self.net, label.kept, label.live, label.ends
        pulled: list[MapChoice] = []
        saved = 0
        for t, needs in label.needs:
            if t in net.pulled and t not in net.live[i]:
                x = net.maps[t]
                options = []
                for choice in self._pulls(t, needs):
                    lines = 0 if choice.windowed or t in self.after else align_up(choice.lines * x.w * x.c)
                    options.append(
                        (kept + lines, self._with_window(live, choice, x, label) if choice.windowed else live, choice)
                    )
                if not options:
                    return None
                kept, live, choice = min(options, key=lambda o: o[0] + max(o[1]))
                row_end, col_end = self._ends(choice, t, ends)
                ends = row_end, col_end if choice.windowed else ends[1]
                pulled.append(choice)
            elif net.roots[t] not in net.live[i]:
                return None
            elif t not in self.after and net.roots[t] == t:
                saved = max(saved, self._overlap(t, [q.rows for q in needs], label))
        base = sum(net.sizes[t] for t in net.live[i] | self.after)
        choices = tuple(_unlinked(label.last))
        macs, cost = label.macs, label.cost
        if ends != self.ends:  # the stage goes on after some maps were counted
            nodes = net.nodes[i : self.j + 1]
            works = [self._work(n, c, self._domain(n), ends) for n, c in zip(nodes, choices, strict=True)]
            macs, cost = sum(w[0] for w in works), sum(w[1] for w in works)
        cost += sum(self._pull_cost(choice, ends) for choice in pulled)
        scratch = max(n.streamed_scratch for n in net.nodes[i : self.j + 1])
        return StageCost(
            base + kept + max(live) - saved + scratch, macs, cost, self.tile, (*pulled, *choices), len(pulled)
        )

    def _pull_cost(self, choice: MapChoice, ends: tuple[int, int]) -> int:
        x, (unit_h, unit_w) = self.net.maps[choice.tensor], self.net.units[choice.tensor]
        rows = computed(choice.rows, x.h, ends[0] // (choice.rows.step * unit_h) - 1)
        cols = computed(choice.cols, x.w, ends[1] // (choice.cols.step * unit_w) - 1) if choice.windowed else x.w
        return int(PER_PULLED_BYTE * rows * cols * x.c) + per_piece(self.net.kernels) * rows

    def _pulls(self, t: TensorId, needs: tuple[Reach, ...]) -> Iterator[MapChoice]:
        """A pulled input: rows in a ring, each once; or, where it may be read again, only what a tick needs. There
        every stage pulls for itself, so that none has it whole: that would last."""
        x, rows_needed = self.net.maps[t], [q.rows for q in needs]
        reread = self.net.mode is InputMode.REREAD
        rows, lines = once(rows_needed, common_step(rows_needed))
        lines = x.h if t in self.after else min(x.h, lines + rows.step)
        if lines < x.h or not reread:
            yield MapChoice(t, rows, Span(x.w, 0, 0, 0), lines, False, 0)
        width = self.widths.of(t)
        if reread and all(q.rows.step == rows.step and q.cols.step == width for q in needs):
            full = self.tile.cols >= FULL
            cols = Span(x.w, 0, 0, 0) if full else again([q.cols for q in needs])
            yield MapChoice(t, again(rows_needed), cols, 0, True, 0)

    def _overlap(self, t: TensorId, needed: list[Span], label: Label) -> int:
        """Bytes that the stage's last map shares with an input that dies here."""
        last = self.net.nodes[self.j]
        if last.reduces:
            return 0
        x, y = self.net.maps[t], self.net.maps[last.out]
        needed = [self._late(t, q, label) for q in needed]
        rows, lines = once(needed, common_step(needed))
        rate = self.tile.rows * y.scale_h / (rows.step * x.scale_h)
        if rate.denominator != 1:
            return 0
        begin = rows.end - lines
        lead = _lead(y.h, y.w * y.c, self.tile.rows, x.h, x.w * x.c, rows.step, begin, int(rate))
        x_bytes, y_bytes = self.net.sizes[t], self.net.sizes[last.out]
        return max(0, x_bytes + y_bytes - max(y_bytes, align_up(lead) + x_bytes))

    def _late(self, t: TensorId, need: Span, label: Label) -> Span:
        """What is read of an input at a tick and must not be overwritten by the stage's last map at that tick. Element
        by element, row by row, that map may eat its own operand: then only what is read later."""
        last = self.net.nodes[self.j]
        x, y = self.net.maps[t], self.net.maps[last.out]
        one_by_one = last.in_place and (self.tile.rows == 1 or self.tile.cols >= FULL)
        if not one_by_one or (x.h, x.w, x.c) != (y.h, y.w, y.c) or all(s.tensor != t for s in last.sources):
            return need
        readers = [
            c.tensor
            for c in _unlinked(label.last)
            if c.rows == need
            and any(s.tensor == t and s.rows == ONE_TO_ONE for s in self.net.nodes[self.net.made_by[c.tensor]].sources)
        ]
        return need._replace(begin=need.begin + need.step) if readers == [last.out] else need


def _unlinked(chain: Chain | None) -> Iterator[MapChoice]:
    """Newest first: the nodes of a stage in order."""
    while chain is not None:
        yield chain.choice
        chain = chain.rest


def _stored(tensor: TensorId, y: Map, rows: Span, cols: Span, lines: int, left: int) -> MapChoice:
    """In a window, or whole where that is no larger."""
    lines = min(lines, y.h)
    if lines * y.w + rows.size * (2 * left + cols.size) >= y.h * y.w:
        return MapChoice(tensor, rows, cols, y.h, False, 0)
    return MapChoice(tensor, rows, cols, lines, True, left)


def _open(node: Node, needs: dict[TensorId, tuple[Reach, ...]], choice: MapChoice) -> Needs | None:
    """The open maps once the node's sources are asked for; None where a source has no such step."""
    for s in node.sources:
        assert s.rows is not None
        assert s.cols is not None
        rows, cols = through(s.rows, choice.rows), through(s.cols, choice.cols)
        if rows is None or cols is None:
            return None
        reach, have = Reach(rows, cols), needs.get(s.tensor, ())
        if reach not in have:
            needs[s.tensor] = (*have, reach)
    return tuple(sorted(needs.items()))


def _overhead(choice: MapChoice, y: Map, rows: int, cols: int, each_piece: int) -> int:
    """Instructions around the kernel: calls, and pixels copied out of the window and from span to span."""
    spans = last_step(choice.cols, y.w) - choice.cols.first + 1
    copied = 2 * rows * choice.left * spans + (rows * cols if choice.lines else 0) if choice.windowed else 0
    return each_piece * rows * spans + int(PER_COPIED_BYTE * copied * y.c)


@cache
def _lead(y_h: int, y_row: int, y_step: int, x_h: int, x_row: int, x_step: int, begin: int, rate: int) -> int:
    """How far the output must start below the input: see memory/overlap.py. The input's step is the shorter one."""
    lead, t = 0, 0
    while y_step * t < y_h:
        first = x_step * (rate * (t + 1) - 1) + begin
        if first < x_h:
            lead = max(lead, min(y_h, y_step * (t + 1)) * y_row - max(0, first) * x_row)
        t += 1
    return lead


def _prune(labels: list[Label], limits: Limits) -> list[Label]:
    """The Pareto front (bytes, MACs) among labels with the same open maps; of many, both ends."""
    groups: dict[Needs, list[Label]] = {}
    for label in labels:
        groups.setdefault(label.needs, []).append(label)
    kept: list[Label] = []
    for group in groups.values():
        group.sort(key=lambda q: (q.kept + max(q.live), q.macs, q.cost))
        least = None
        front: list[Label] = []
        for label in group:
            if least is None or label.macs < least:
                least = label.macs
                front.append(label)
        kept += front[: limits.labels]
    if len(kept) > 4 * limits.labels:
        kept.sort(key=lambda q: (q.macs, q.kept + max(q.live)))
        few, rest = kept[: 2 * limits.labels], kept[2 * limits.labels :]
        rest.sort(key=lambda q: q.kept + max(q.live))
        kept = few + rest[: 2 * limits.labels]
    return kept
