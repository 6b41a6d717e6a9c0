"""The schedule of least memory under a MAC limit, of least work under a memory limit, and the front of both.

Stages that compute everything once come first: their least memory is a limit that all others must beat. Blocks are
rewritten only where they bind, that is where a stage of the best path so far needs nearly as much as the path does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tessera.ir.graph import Graph
from tessera.schedule.build import build_stage
from tessera.schedule.net import Net
from tessera.schedule.paths import Point, front, least_bytes, least_work
from tessera.schedule.region import FULL, Limits, MapChoice, Tile
from tessera.schedule.rewrite import apply
from tessera.schedule.schedule import InputMode, Schedule, Stage
from tessera.schedule.space import BASE, Progress, Space, grow, make_space, net_of, open_blocks
from tessera.schedule.verify import verify_schedule

ONCE = tuple(Tile(rows, cols) for rows in (1, 2) for cols in (8, 16, FULL))
"""Tiles of stages that compute everything once."""
FAST = tuple(Tile(rows, cols) for rows in (1, 2, 4) for cols in (32, 64, FULL))
"""Larger ones, with less to do around the kernels: for least work."""
AGAIN = (*(Tile(rows, cols) for rows in (1, 2, 4, 8) for cols in (8, 16)), Tile(1, FULL), Tile(2, FULL))
"""Tiles of stages that may compute rows again."""
LABELS_ONCE, LABELS_AGAIN = 6, 10
BINDING = 0.95
"""A stage binds if it needs this share of what the path needs."""
MOST_FACTOR = 2.0
"""Schedules that execute more MACs than this many times the model's are not looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What was found so far for a graph and an input mode."""

    space: Space
    unbounded: int  # bytes: no stage worth having needs more

    @property
    def macs(self) -> int:
        return self.space.net.macs


def start_search(graph: Graph, mode: InputMode) -> Search:
    space = make_space(graph, mode)
    return Search(space, max((e.bytes for e in space.edges), default=0) + sum(space.net.sizes.values()))


def search_once(search: Search, progress: Progress | None = None) -> tuple[Search, Point | None]:
    """Least memory with nothing computed again; None where this input mode needs something computed again."""
    return _settle(search, ONCE, Limits(search.unbounded, 0, LABELS_ONCE), search.macs, progress)


def search_again(
    search: Search, limit_bytes: int, factor: float, progress: Progress | None = None
) -> tuple[Search, Point | None]:
    """Least memory, below `limit_bytes`, with at most `factor` times the model's MACs."""
    extra = int((factor - 1) * search.macs)
    return _settle(search, AGAIN, Limits(limit_bytes, extra, LABELS_AGAIN), search.macs + extra, progress)


def _settle(
    search: Search, tiles: Sequence[Tile], limits: Limits, most_macs: int, progress: Progress | None
) -> tuple[Search, Point | None]:
    """Adds the stages of `tiles`; then rewrites the blocks that bind until none does that is not rewritten yet."""
    space = grow(search.space, [BASE, *range(len(search.space.nets))], tiles, limits, progress)
    tried: frozenset[int] = frozenset()
    while True:
        point = least_bytes(space, most_macs)
        hot = _binding(space, point) - tried
        if not hot:
            return replace(search, space=space), point
        tried |= hot
        limits = replace(limits, bytes=point.bytes if point is not None else limits.bytes)
        fresh = sorted(hot - space.opened)
        before = len(space.nets)
        space = open_blocks(space, fresh)
        space = grow(space, range(before, len(space.nets)), tiles, limits, progress)


def _binding(space: Space, point: Point | None) -> frozenset[int]:
    """Blocks with an operator in, or a map alive across, a stage that binds."""
    if point is None:
        return frozenset(range(len(space.blocks)))
    number = {n.name: i for i, n in enumerate(space.net.nodes)}
    spans = [(number[b.expand], number[b.multiply or b.last]) for b in space.blocks]
    hot: set[int] = set()
    for e in point.edges:
        if e.bytes >= BINDING * point.bytes:
            nodes = (space.net if e.variant == BASE else space.nets[e.variant]).nodes[e.first : e.last + 1]
            inside = {number[n.name.removesuffix(".again")] for n in nodes if n.name.removesuffix(".again") in number}
            hot |= {k for k, (a, b) in enumerate(spans) if any(a <= i <= b for i in inside)}
    return frozenset(hot)


def search_front(search: Search, progress: Progress | None = None) -> tuple[Search, tuple[Point, ...]]:
    """Every schedule of which none found has less memory and fewer MACs."""
    search, once = search_once(search, progress)
    limit = once.bytes if once is not None else search.unbounded
    for factor in (1.05, 1.15, 1.4, MOST_FACTOR):
        search, _ = search_again(search, limit, factor, progress)
    return search, front(search.space, int(MOST_FACTOR * search.macs))


def search_work(search: Search, limit_bytes: int, most_macs: int | None, progress: Progress | None = None) -> tuple[
    Search, Point | None
]:
    """Least instructions in at most `limit_bytes`; None: impossible."""
    most = most_macs if most_macs is not None else int(MOST_FACTOR * search.macs)
    best = least_work(search.space, limit_bytes)
    if best is not None:
        return search, best  # layer by layer: nothing needs fewer instructions
    space = grow(search.space, [BASE], FAST, Limits(limit_bytes, 0, LABELS_ONCE), progress)
    search, once = search_once(replace(search, space=space), progress)
    if once is None or once.bytes > limit_bytes:
        limit = once.bytes if once is not None else search.unbounded
        for factor in (1.05, 1.15, 1.4, MOST_FACTOR):
            search, again = search_again(search, limit, min(factor, most / max(search.macs, 1)), progress)
            if again is not None and again.bytes <= limit_bytes:
                break
    best = least_work(search.space, limit_bytes)
    return search, best if best is not None and best.macs <= most else None


def schedule_of(space: Space, point: Point) -> Schedule:
    """The schedule of a path: its rewritten blocks applied to one graph, its decisions turned into sweeps."""
    graph = space.net.graph
    for v in sorted({e.variant for e in point.edges if e.variant != BASE}):
        graph = apply(graph, space.variants[v])
    net = net_of(graph, space.net.mode)
    numbers = {n.name: k for k, n in enumerate(net.nodes)}
    stages: list[Stage] = []
    for e in point.edges:
        source = space.net if e.variant == BASE else space.nets[e.variant]
        first, last = (numbers[source.nodes[k].name] for k in (e.first, e.last))
        if e.stage is None:
            stages.append(Stage((net.nodes[first].op,)))
        else:
            choices = tuple(_moved(source, net, c) for c in e.stage.choices)
            stages.append(build_stage(net, first, last, e.stage._replace(choices=choices)))
    schedule = Schedule(graph, tuple(stages), space.net.mode)
    verify_schedule(schedule)
    return schedule


def _moved(source: Net, target: Net, choice: MapChoice) -> MapChoice:
    """The choice for the same tensor of another rewriting: what a rewriting appends is found by its maker's name."""
    maker = source.made_by.get(choice.tensor)
    if maker is None:
        return choice
    name = source.nodes[maker].name
    return choice._replace(tensor=next(n.out for n in target.nodes if n.name == name))
