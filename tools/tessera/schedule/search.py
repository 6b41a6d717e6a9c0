"""The schedule of least memory under a MAC limit, of least work under a memory limit, and the front of both.

Stages that compute everything once come first: their least memory is a limit that all others must beat. Then work goes
where it binds, that is where a stage of the best path so far needs nearly as much as the path does: there blocks are
rewritten and stages that compute rows again are tried, until the path can no longer be improved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tessera.ir.graph import Graph
from tessera.kernels.isa import PORTABLE, KernelSet
from tessera.schedule.build import build_stage
from tessera.schedule.net import Net
from tessera.schedule.paths import Point, by_instructions, by_macs, front, least_bytes, least_work
from tessera.schedule.region import FULL, Limits, MapChoice, Tile
from tessera.schedule.rewrite import Block, apply
from tessera.schedule.schedule import InputMode, Schedule, Stage
from tessera.schedule.space import BASE, Job, Progress, Space, grow, jobs_of, make_space, net_of, open_blocks
from tessera.schedule.verify import verify_schedule

ONCE = tuple(Tile(rows, cols) for rows in (1, 2) for cols in (4, 8, 16, FULL))
"""Tiles of stages that compute everything once."""
FAST = tuple(Tile(rows, cols) for rows in (1, 2, 4) for cols in (32, 64, FULL))
"""Larger ones, with less to do around the kernels: for least work."""
AGAIN = (*(Tile(rows, cols) for rows in (1, 2, 4) for cols in (4, 8, 16)), Tile(8, 8), Tile(1, FULL), Tile(2, FULL))
"""Tiles of stages that may compute rows again."""
REWRITTEN = (Tile(1, 8), Tile(2, 8), Tile(1, 16), Tile(1, FULL))
"""Tiles of stages that touch a rewritten block."""
LABELS_ONCE, LABELS_AGAIN = 6, 10
BINDING = 0.95
"""A stage binds if it needs this share of what the path needs."""
REACH = 8
"""How many nodes around those of a binding stage its better ones may end."""
FIRST = 8
"""Of so many operators stages are tried before all others: they pull the image and make the largest maps."""
NEAR_LAYERS = 1.01
"""A schedule that needs no more than this many times the instructions of all layers is taken at once."""
MOST_FACTOR = 2.0
"""Schedules that execute more MACs than this many times the model's are not looked for."""
FACTORS = (1.05, 1.15, 1.4, MOST_FACTOR)
"""Steps of the search: what a small factor finds is a limit for the next."""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What was found so far for a graph and an input mode."""

    space: Space
    unbounded: int  # bytes: no stage worth having needs more
    once: bool = False  # stages that compute everything once are all in the space

    @property
    def macs(self) -> int:
        return self.space.net.macs


def start_search(graph: Graph, mode: InputMode, kernels: KernelSet = PORTABLE) -> Search:
    space = make_space(graph, mode, kernels)
    return Search(space, max((e.bytes for e in space.edges), default=0) + sum(space.net.sizes.values()))


def search_once(search: Search, progress: Progress | None = None) -> tuple[Search, Point | None]:
    """Least memory with nothing computed again; None where this input mode needs something computed again."""
    if search.once:
        return search, least_bytes(search.space, search.macs)
    limits = Limits(search.unbounded, 0, LABELS_ONCE)
    space = grow(search.space, jobs_of(search.space, BASE, limits), ONCE, limits, progress)
    return _settle(replace(search, space=space, once=True), ONCE, limits, search.macs, 0, progress)


def search_again(
    search: Search, limit_bytes: int, factor: float, target_bytes: int = 0, progress: Progress | None = None
) -> tuple[Search, Point | None]:
    """Least memory, below `limit_bytes`, with at most `factor` times the model's MACs; `target_bytes` is enough."""
    extra = int((factor - 1) * search.macs + 1e-3)  # a factor made of whole MACs gives them again
    limits = Limits(limit_bytes, extra, LABELS_AGAIN)
    return _settle(search, AGAIN, limits, search.macs + extra, target_bytes, progress)


def _settle(
    search: Search, tiles: Sequence[Tile], limits: Limits, most_macs: int, target_bytes: int, progress: Progress | None
) -> tuple[Search, Point | None]:
    """Adds stages of `tiles` where they bind until nothing new does; where that is not enough, rewrites blocks."""
    space = search.space
    grown: set[Job] = set(jobs_of(space, BASE, limits)) if limits.extra_macs == 0 else set()
    while True:
        point = least_bytes(space, most_macs)
        if point is not None and point.bytes <= target_bytes:
            return replace(search, space=space), point
        hot = _binding_nodes(space, point)
        jobs = {(BASE, j) for j in range(len(space.net.nodes)) if any(abs(j - i) <= REACH for i in hot)} - grown
        some = tiles
        if not jobs:
            blocks = _blocks_at(space, hot)
            space = open_blocks(space, blocks, limits.extra_macs)
            rewritten = {space.blocks[k] for k in blocks}
            binding = [v for v, variant in enumerate(space.variants) if variant.block in rewritten]
            jobs = {job for v in binding for job in jobs_of(space, v, limits)} - grown
            some = REWRITTEN
        if not jobs:
            return replace(search, space=space), point
        grown |= jobs
        limits = replace(limits, bytes=point.bytes if point is not None else limits.bytes)
        space = grow(space, sorted(jobs), some, limits, progress)


def _binding_nodes(space: Space, point: Point | None) -> frozenset[int]:
    """Nodes of the graph in stages that bind; of a rewritten block all that the block has in the graph."""
    if point is None:
        return frozenset(range(len(space.net.nodes)))
    number = {n.name: i for i, n in enumerate(space.net.nodes)}
    hot: set[int] = set()
    for e in point.edges:
        if e.bytes >= BINDING * point.bytes:
            nodes = (space.net if e.variant == BASE else space.nets[e.variant]).nodes[e.first : e.last + 1]
            hot |= {number[n.name] for n in nodes if n.name in number}
            if e.variant != BASE:
                hot |= set(_nodes_of(space.variants[e.variant].block, number))
    return frozenset(hot)


def _blocks_at(space: Space, nodes: frozenset[int]) -> frozenset[int]:
    """Blocks with a node among these, or a map alive across one."""
    number = {n.name: i for i, n in enumerate(space.net.nodes)}
    spans = [_nodes_of(block, number) for block in space.blocks]
    return frozenset(k for k, span in enumerate(spans) if any(i in span for i in nodes))


def _nodes_of(block: Block, number: Mapping[str, int]) -> range:
    """The nodes of the graph from a block's first to its last."""
    return range(number[block.expand], number[block.multiply or block.last] + 1)


def search_front(search: Search, progress: Progress | None = None) -> tuple[Search, tuple[Point, ...]]:
    """Every schedule of which none found has less memory and fewer MACs."""
    search, once = search_once(search, progress)
    limit = once.bytes if once is not None else search.unbounded
    for factor in FACTORS:
        search, _ = search_again(search, limit, factor, 0, progress)
    return search, front(search.space, int(MOST_FACTOR * search.macs))


def search_work(
    search: Search, limit_bytes: int, most_macs: int | None, progress: Progress | None = None
) -> tuple[Search, Point | None]:
    """Least instructions in at most `limit_bytes`; None: impossible."""
    most = most_macs if most_macs is not None else int(MOST_FACTOR * search.macs)
    if any(search.space.net.whole_bytes(cut) > limit_bytes for cut in (0, -1)):
        return search, None  # a resident input or the outputs alone need more
    best = _within(search.space, limit_bytes, most)
    if best is not None:
        return search, best  # found before, or layer by layer: nothing needs fewer instructions
    grown = _grow_first(search.space, limit_bytes)
    best = _within(grown, limit_bytes, most)
    if best is not None and best.cost <= NEAR_LAYERS * sum(n.layer_instructions for n in grown.net.nodes):
        return replace(search, space=grown), best
    search, point = search_once(search, progress)
    if point is not None and point.bytes <= limit_bytes:
        limits = Limits(limit_bytes, 0, LABELS_ONCE)
        space = grow(search.space, jobs_of(search.space, BASE, limits), FAST, limits, progress)
        return replace(search, space=space), _within(space, limit_bytes, most)
    limit = point.bytes if point is not None else search.unbounded
    for factor in FACTORS:
        search, point = search_again(search, limit, min(factor, most / max(search.macs, 1)), limit_bytes, progress)
        if point is not None and point.bytes <= limit_bytes:
            break
    return search, _within(search.space, limit_bytes, most)


def _grow_first(space: Space, limit_bytes: int) -> Space:
    """With stages of the first operators: enough where memory is plenty."""
    jobs = [(BASE, j) for j in range(min(FIRST, len(space.net.nodes)))]
    return grow(space, jobs, FAST, Limits(limit_bytes, 0, LABELS_ONCE))


def _within(space: Space, limit_bytes: int, most_macs: int) -> Point | None:
    """Least instructions; where that path executes too many MACs, the fewest MACs."""
    points = (least_work(space, limit_bytes, weigh) for weigh in (by_instructions, by_macs))
    return next((p for p in points if p is not None and p.macs <= most_macs), None)


def schedule_of(space: Space, point: Point) -> Schedule:
    """The schedule of a path: its rewritten blocks applied to one graph, its decisions turned into sweeps."""
    graph = space.net.graph
    for v in sorted({e.variant for e in point.edges if e.variant != BASE}):
        graph = apply(graph, space.variants[v])
    net = net_of(graph, space.net.mode, space.net.kernels)
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
    schedule = Schedule(graph, tuple(stages), space.net.mode, space.net.kernels)
    verify_schedule(schedule)
    return schedule


def _moved(source: Net, target: Net, choice: MapChoice) -> MapChoice:
    """The choice for the same tensor of another rewriting: what a rewriting appends is found by its maker's name."""
    maker = source.made_by.get(choice.tensor)
    if maker is None:
        return choice
    name = source.nodes[maker].name
    return choice._replace(tensor=next(n.out for n in target.nodes if n.name == name))
