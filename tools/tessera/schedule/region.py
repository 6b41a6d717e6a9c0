"""What a streamed stage costs: bytes, MACs and instructions of nodes [i..j] advancing together, for every i at once.

One reverse sweep from the stage's end. Per open map and reader, the range `(begin, end, step)` says: while the reader
takes its step t, rows [step * t + begin, step * (t + 1) + end) of the map are needed. Through a window of kernel k,
stride s and padding p: begin' = s * begin - p, end' = s * end + k - s - p, step' = s * step. Several readers: the least
begin, the greatest end, the common divisor of the steps (a reader with a longer step makes rows wait). What the map has
to have beyond its own step, gap = end - begin, is either

    kept    gap rows stay at full width, every row is computed once, or
    again   computed in every step anew: no rows are kept, what is upstream is asked for more.

This one rule gives layers, rows, delayed residuals, patches and stream caches; borders and warm-up need no special case,
because ranges are cut to the map. Columns work alike, inside a step of rows. (MCUNetV2 3.1: patches; StreamNet: columns
and rows kept; both are values of it.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import floor, gcd
from typing import NamedTuple

from tessera.ir.graph import TensorId
from tessera.memory.align import align_up
from tessera.schedule.instructions import PER_COPIED_BYTE, PER_PIECE, PER_PULLED_BYTE
from tessera.schedule.net import Map, Net, Node
from tessera.schedule.schedule import InputMode
from tessera.schedule.streamable import Axis, Upsample

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
    """What was decided for a map, ranges relative to its own steps; it fires every `step` rows of its own.

    Step t computes rows [step * t + begin, step * (t + 1) + end) and columns likewise.
    """

    tensor: TensorId
    step: int
    begin: int
    end: int
    step_w: int
    begin_w: int
    end_w: int
    lines: int
    windowed: bool
    left: int


class Reach(NamedTuple):
    """What a reader needs of a map, see the head of this file."""

    begin: int
    end: int
    begin_w: int
    end_w: int
    step: int
    step_w: int


class Label(NamedTuple):
    """A partial stage, from its end to some node."""

    needs: tuple[tuple[TensorId, tuple[Reach, ...]], ...]  # open maps
    kept: int  # bytes between ticks
    live: tuple[int, ...]  # window bytes at each node, from the stage's end backwards
    macs: int
    cost: int  # instructions
    last: tuple[MapChoice, object] | None  # the decisions, newest first


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
    labels: int = 24  # kept per set of open maps


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
    after = net.live[j + 1]
    floor_bytes = sum(net.sizes[t] for t in after)
    labels = [Label((), 0, (), 0, 0, None)]
    widths = _Widths(net, j, tile)
    for i in range(j, max(start, region_start(net, j)) - 1, -1):
        node = net.nodes[i]
        if i < j and _reads_through_view(net, i, j):
            return
        labels = _prune(_grow(net, i, j, tile, widths, labels, limits), limits)
        for label in labels:
            closed = _close(net, i, j, tile, widths, label, after)
            if closed is not None and closed.bytes <= limits.bytes:
                yield i, closed
        labels = [x for x in labels if floor_bytes + x.kept + max(x.live) <= limits.bytes]
        if not labels or not node.streams:
            return


class _Widths:
    """Columns that each map advances by at a tick: as the tile says, and a divisor of what its readers advance by."""

    def __init__(self, net: Net, j: int, tile: Tile) -> None:
        self._net, self._j, self._tile = net, j, tile
        self._known: dict[TensorId, int] = {}
        self._asked: dict[TensorId, int] = {}
        self._done = j + 1

    def of(self, tensor: TensorId, i: int) -> int:
        """Of a map that node i makes, or that it reads. Nodes after i were asked before."""
        if self._tile.cols >= FULL:
            return self._net.maps[tensor].w
        if tensor not in self._known:
            self._known[tensor] = self._width(tensor)
        return self._known[tensor]

    def ask(self, node: Node, width: int) -> None:
        """Tells what a node that advances by `width` needs of the maps that it reads."""
        for s in node.sources:
            assert s.cols is not None
            need = _step_through(s.cols, width)
            if need:
                self._asked[s.tensor] = gcd(self._asked.get(s.tensor, 0), need)
                self._known.pop(s.tensor, None)

    def _width(self, tensor: TensorId) -> int:
        scale = self._net.maps[tensor].scale_w
        cap = max(1, floor(self._tile.cols / scale))
        asked = self._asked.get(tensor, 0)
        return cap if not asked else max(d for d in range(1, min(cap, asked) + 1) if asked % d == 0)


def _reads_through_view(net: Net, i: int, j: int) -> bool:
    """A node after i reads another view of what node i makes: that view must be whole before the stage begins."""
    out = net.nodes[i].out
    return any(
        net.roots[t] == out and t != out for n in net.nodes[i + 1 : j + 1] for t in net.graph.ops[n.op].inputs
    ) or any(
        t == out and all(s.tensor != t for s in n.sources)
        for n in net.nodes[i + 1 : j + 1]
        for t in net.graph.ops[n.op].inputs
    )


def _step_through(axis: Axis, step: int) -> int:
    """The input's step for a step of the output; 0 where there is none."""
    if isinstance(axis, Upsample):
        return step // axis.factor if step % axis.factor == 0 else 0
    return step * axis.stride


def _range_through(axis: Axis, begin: int, end: int) -> tuple[int, int]:
    if isinstance(axis, Upsample):
        return begin // axis.factor + axis.low, -(-end // axis.factor) + axis.high
    s = axis.stride
    return s * begin - axis.pad, s * end + axis.kernel - s - axis.pad


def _settle(needs: tuple[Reach, ...], step: int, step_w: int) -> Reach:
    """What is needed of a map that advances by `step`: a reader with a longer step makes rows wait, one that skips rows
    gets them too."""
    end, end_w = max(q.end for q in needs), max(q.end_w for q in needs)
    return Reach(
        min(end, *(q.begin - (q.step - step) for q in needs)),
        end,
        min(end_w, *(q.begin_w - (q.step_w - step_w) for q in needs)),
        end_w,
        step,
        step_w,
    )


@lru_cache(maxsize=None)
def computed(step: int, begin: int, end: int, size: int) -> int:
    """Rows computed in all steps, those computed again counted again; see Reach."""
    total, t = 0, -(end // step) - 2
    while step * t + begin < size:
        total += max(0, min(size, step * (t + 1) + end) - max(0, step * t + begin))
        t += 1
    return total


@lru_cache(maxsize=None)
def firings(step: int, begin: int, end: int, size: int) -> int:
    """Steps in which something is computed."""
    first = -((step + end - 1) // step)
    last = -(-(size - begin) // step) - 1
    return last - first + 1


def _grow(net: Net, i: int, j: int, tile: Tile, widths: _Widths, labels: list[Label], limits: Limits) -> list[Label]:
    """The labels with node i in front: every choice for the map that it makes."""
    node = net.nodes[i]
    domain = node.sources[0].tensor if node.reduces else node.out
    y = net.maps[domain]
    whole_after = node.out in net.live[j + 1] or i == j
    width = widths.of(domain, i)
    widths.ask(node, width)
    grown: list[Label] = []
    until = net.last_read.get(node.out, -1)
    for label in labels:
        needs = next((v for t, v in label.needs if t == node.out), None) or _unread(net, node, j, tile, width)
        others = tuple((t, v) for t, v in label.needs if t != node.out)
        for choice in _choices(node, y, needs, width, tile, whole_after):
            if node.row_by_row and choice.step != 1:
                continue
            rows = computed(choice.step, choice.begin, choice.end, y.h)
            cols = computed(choice.step_w, choice.begin_w, choice.end_w, y.w)
            area = y.h * y.w
            macs = label.macs + (node.macs * rows * cols // area if node.macs else 0)
            if macs - label.macs > node.macs + limits.extra_macs:
                continue
            opened = _open(net, node, others, choice)
            if opened is None:
                continue
            kept, live = _store(net, node, y, choice, whole_after, label, i, j, until)
            pieces = rows * firings(choice.step_w, choice.begin_w, choice.end_w, y.w)
            copied = 0
            if choice.windowed and (choice.lines or choice.left):
                copied = y.c * (
                    rows * cols * (1 if choice.lines else 0)
                    + 2 * rows * choice.left * firings(choice.step_w, choice.begin_w, choice.end_w, y.w)
                )
            cost = label.cost + int(
                node.instructions * rows * cols / area + PER_PIECE * pieces + PER_COPIED_BYTE * copied
            )
            grown.append(Label(opened, kept, live, macs, cost, (choice, label.last)))
    return grown


def _unread(net: Net, node: Node, j: int, tile: Tile, width: int) -> tuple[Reach, ...]:
    """A map that nobody in the stage reads keeps pace with the stage's last one."""
    last = net.nodes[j]
    end = net.maps[last.sources[0].tensor if last.reduces else last.out]
    mine = net.maps[node.sources[0].tensor if node.reduces else node.out]
    step = tile.rows * end.scale_h / mine.scale_h
    rows = int(step) if step >= 1 and step.denominator == 1 else 1
    return (Reach(0, 0, 0, 0, rows, width),)


def _choices(
    node: Node, y: Map, needs: tuple[Reach, ...], width: int, tile: Tile, whole_after: bool
) -> Iterator[MapChoice]:
    """Keep or compute again, in steps of all rows that the readers take together or of one."""
    step = needs[0].step
    for q in needs[1:]:
        step = gcd(step, q.step)
    if any(q.step_w % width for q in needs):
        return
    longest = max(q.step for q in needs)
    for n in (step,) if whole_after or step == 1 else (step, 1):
        req = _settle(needs, n, width)
        if whole_after:
            yield MapChoice(node.out, n, req.end, req.end, width, req.end_w, req.end_w, y.h, False, 0)
            continue
        full = tile.cols >= FULL
        gap = req.end - req.begin
        gap_w = 0 if full else req.end_w - req.begin_w
        begin_w, end_w = (0, 0) if full else (req.end_w, req.end_w)
        left = gap_w
        if tile.halo_again and gap_w:
            begin_w, left = req.begin_w, 0
        if not tile.halo_again or not gap:
            yield _stored(node.out, y, n, req.end, req.end, width, begin_w, end_w, gap, left)
        if gap and n == longest and n < y.h:
            yield _stored(node.out, y, n, req.begin, req.end, width, begin_w, end_w, 0, left)


def _stored(
    tensor: TensorId, y: Map, n: int, begin: int, end: int, width: int, begin_w: int, end_w: int, lines: int, left: int
) -> MapChoice:
    """In a window, or whole where that is no larger."""
    window = (n + end - begin) * (left + width + end_w - begin_w)
    state = min(lines, y.h) * y.w + (n + end - begin) * left
    if state + window >= y.h * y.w:
        return MapChoice(tensor, n, begin, end, width, begin_w, end_w, y.h, False, 0)
    return MapChoice(tensor, n, begin, end, width, begin_w, end_w, lines, True, left)


def _open(
    net: Net, node: Node, others: tuple[tuple[TensorId, tuple[Reach, ...]], ...], choice: MapChoice
) -> tuple[tuple[TensorId, tuple[Reach, ...]], ...] | None:
    """The open maps once the node's sources are asked for; None where a source has no such step."""
    needs = dict(others)
    for s in node.sources:
        assert s.rows is not None and s.cols is not None
        if node.reduces:
            reach = Reach(choice.begin, choice.end, choice.begin_w, choice.end_w, choice.step, choice.step_w)
        else:
            step, step_w = _step_through(s.rows, choice.step), _step_through(s.cols, choice.step_w)
            if not step or not step_w:
                return None
            rows = _range_through(s.rows, choice.begin, choice.end)
            cols = _range_through(s.cols, choice.begin_w, choice.end_w)
            reach = Reach(*rows, *cols, step, step_w)
        have = needs.get(s.tensor, ())
        if reach not in have:
            needs[s.tensor] = (*have, reach)
    return tuple(sorted(needs.items()))


def _store(
    net: Net, node: Node, y: Map, choice: MapChoice, whole_after: bool, label: Label, i: int, j: int, until: int
) -> tuple[int, tuple[int, ...]]:
    """Bytes kept between ticks, and window bytes alive at each node, with this map added."""
    if whole_after:
        return label.kept, (*label.live, 0)
    if not choice.windowed:
        return label.kept + align_up(y.h * y.w * y.c), (*label.live, 0)
    rows = choice.step + choice.end - choice.begin
    kept = label.kept + align_up(min(choice.lines, y.h) * y.w * y.c) + align_up(rows * choice.left * y.c)
    window = align_up(rows * (choice.left + choice.step_w + choice.end_w - choice.begin_w) * y.c)
    first = j - min(until, j)  # index of its last reader in `live`
    live = [v + window if k >= first else v for k, v in enumerate((*label.live, 0))]
    if first < len(label.live) and _in_place(net, choice, label, net.nodes[j - first]):
        live[first] -= window
    return kept, tuple(live)


def _in_place(net: Net, x: MapChoice, label: Label, reader: Node) -> bool:
    """The last reader writes its window over this one: element by element, both of the same pixels."""
    if not reader.in_place or x.left:
        return False
    link = label.last
    while link is not None:
        y, link = link  # type: ignore[assignment]
        if y.tensor == reader.out:
            return y.windowed and not y.left and x[1:7] == y[1:7] and net.maps[x.tensor].c == net.maps[y.tensor].c
    return False


def _close(
    net: Net, i: int, j: int, tile: Tile, widths: _Widths, label: Label, after: frozenset[TensorId]
) -> StageCost | None:
    """The stage that begins with node i."""
    kept, live, cost = label.kept, label.live, label.cost
    pulled: list[MapChoice] = []
    outside: set[TensorId] = set()
    saved = 0
    last = net.nodes[j]
    for t, needs in label.needs:
        if t in net.pulled and t not in net.live[i]:
            choice = _pull(net, t, needs, widths.of(t, i), tile, whole=t in after)
            pulled.append(choice)
            x = net.maps[t]
            rows = computed(choice.step, choice.begin, choice.end, x.h)
            cols = computed(choice.step_w, choice.begin_w, choice.end_w, x.w)
            cost += int(PER_PULLED_BYTE * rows * cols * x.c + PER_PIECE * rows)
            if choice.windowed:
                size = align_up(
                    (choice.step + choice.end - choice.begin) * (choice.step_w + choice.end_w - choice.begin_w) * x.c
                )
                until = j - min(net.last_read.get(t, -1), j)
                live = tuple(v + size if k >= until else v for k, v in enumerate(live))
            elif t not in after:
                kept += align_up(choice.lines * x.w * x.c)
            continue
        root = net.roots[t]
        if root not in net.live[i]:
            return None
        outside.add(root)
        if root not in after and root == t and not last.reduces:
            step = needs[0].step
            for q in needs[1:]:
                step = gcd(step, q.step)
            begin = _settle(needs, step, 1).begin
            saved = max(saved, _overlap(net, label, j, t, step, begin, tile))
    base = sum(net.sizes[t] for t in net.live[i] | after)
    entries: list[MapChoice] = []
    link = label.last
    while link is not None:
        entry, link = link  # type: ignore[assignment]
        entries.append(entry)
    return StageCost(base + kept + max(live) - saved, label.macs, cost, tile, (*pulled, *entries), len(pulled))


def _pull(net: Net, t: TensorId, needs: tuple[Reach, ...], width: int, tile: Tile, *, whole: bool) -> MapChoice:
    """A pulled input: rows in a ring, each once; or, where it may be read again, only what a tick needs."""
    x = net.maps[t]
    step = needs[0].step
    for q in needs[1:]:
        step = gcd(step, q.step)
    if any(q.step_w % width for q in needs):
        width = 1
    req = _settle(needs, step, width)
    again = net.mode is InputMode.REREAD and all(q.step == step for q in needs)
    if again:
        full = tile.cols >= FULL
        cols = (x.w, 0, 0) if full else (width, req.begin_w, req.end_w)
        if (step + req.end - req.begin) * (cols[0] + cols[2] - cols[1]) < x.h * x.w:
            return MapChoice(t, step, req.begin, req.end, *cols, 0, True, 0)
    lines = x.h if whole else min(x.h, step + req.end - req.begin)
    return MapChoice(t, step, req.end, req.end, x.w, 0, 0, lines, False, 0)


def _overlap(net: Net, label: Label, j: int, t: TensorId, step: int, begin: int, tile: Tile) -> int:
    """Bytes that the stage's last map shares with an input that dies here."""
    assert label.last is not None
    x, y = net.maps[t], net.maps[net.nodes[j].out]
    rate = tile.rows * y.scale_h / (step * x.scale_h)
    if rate.denominator != 1:
        return 0
    lead = _lead(y.h, y.w * y.c, tile.rows, x.h, x.w * x.c, step, begin, int(rate))
    if lead >= net.sizes[net.nodes[j].out]:
        return 0
    x_bytes, y_bytes = net.sizes[t], net.sizes[net.nodes[j].out]
    return x_bytes + y_bytes - max(y_bytes, align_up(max(0, lead)) + x_bytes)


@lru_cache(maxsize=None)
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
    """The Pareto front (bytes, MACs, instructions) among labels with the same open maps; of many, both ends."""
    groups: dict[object, list[Label]] = {}
    for label in labels:
        groups.setdefault(label.needs, []).append(label)
    kept: list[Label] = []
    for group in groups.values():
        group.sort(key=lambda q: (q.kept + max(q.live), q.macs, q.cost))
        front: list[Label] = []
        for label in group:
            if all(label.macs < q.macs for q in front):
                front.append(label)
        kept += front[: limits.labels]
    if len(kept) > 4 * limits.labels:
        kept.sort(key=lambda q: (q.macs, q.kept + max(q.live)))
        few, rest = kept[: 2 * limits.labels], kept[2 * limits.labels :]
        rest.sort(key=lambda q: q.kept + max(q.live))
        kept = few + rest[: 2 * limits.labels]
    return kept
