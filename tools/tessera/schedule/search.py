"""The schedule of least memory under a MAC limit, of least work under a memory limit, and the front of both.

A schedule is a path over cuts of the operator order: an edge is a layer or a streamed stage, and what it costs depends on
its two ends only. So least work under a limit of bytes is a shortest path over the edges within the limit; least bytes
under a limit of MACs is the least limit at which that path is short enough. Both are exact over the edges, and the edges
are every stage that region.py yields for the tiles below, on the graph and on its rewritten blocks (rewrite.py). A
rewritten block is a detour between two cuts of the graph: it shares its cuts with it, outside the block.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

from tessera.ir.graph import Graph, TensorId
from tessera.schedule.build import build_stage
from tessera.schedule.net import Net, make_net
from tessera.schedule.region import FULL, Limits, MapChoice, StageCost, Tile, stages_ending_at
from tessera.schedule.reorder import find_order
from tessera.schedule.rewrite import Variant, apply, find_blocks, order_ops, variants_of
from tessera.schedule.schedule import InputMode, Schedule, Stage
from tessera.schedule.verify import verify_schedule
from tessera.schedule.views import is_view

log = logging.getLogger(__name__)

ONCE = tuple(Tile(rows, cols) for rows in (1, 2) for cols in (8, 16, FULL))
"""Tiles of stages that compute everything once."""
FAST = tuple(Tile(rows, cols) for rows in (1, 2, 4) for cols in (32, 64, FULL))
"""Larger ones, with less to do around the kernels: for least work."""
AGAIN = tuple(Tile(rows, cols) for rows in (1, 2, 4, 8) for cols in (8, 16))
"""Tiles of stages that compute rows again."""
BEFORE, BEHIND = 4, 6
"""How many operators before and behind a rewritten block its stages may begin and end."""
PROCESSES = 2

Node = int | tuple[int, int]  # a cut: of the graph, or (variant, cut of its graph) inside a rewritten block


@dataclass(frozen=True, slots=True)
class Edge:
    """Nodes [first, last] of a graph run together: the graph itself (variant -1) or a rewritten one. None: a layer."""

    start: Node
    end: Node
    bytes: int
    macs: int
    cost: int
    variant: int
    first: int
    last: int
    stage: StageCost | None


@dataclass(frozen=True, slots=True)
class Point:
    """A schedule on the front: no other has less of both. `edges` are its stages."""

    bytes: int
    macs: int
    cost: int
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """All edges found, and what is needed to turn a path into a schedule."""

    net: Net
    variants: tuple[Variant, ...]
    nets: tuple[Net, ...]  # of the variants
    edges: tuple[Edge, ...]


Progress = Callable[[int, int], None]  # (done, of)


def make_space(graph: Graph, mode: InputMode, *, max_states: int = 20_000) -> Space:
    """The graph and its rewritten blocks, with layers only."""
    ordered = order_ops(graph, find_order(graph, max_states=max_states).ops)
    net = _net(ordered, mode)
    blocks = find_blocks(ordered)
    variants = tuple(v for block in blocks for v in variants_of(block, repeat=True))
    nets = tuple(_net(apply(ordered, v), mode) for v in variants)
    layers = []
    for i, node in enumerate(net.nodes):
        nbytes = net.layer_bytes(i)
        if nbytes is not None:
            layers.append(Edge(i, i + 1, nbytes, node.macs, node.instructions, -1, i, i, None))
    return Space(net, variants, nets, tuple(layers))


def _net(graph: Graph, mode: InputMode) -> Net:
    return make_net(graph, tuple(i for i, op in enumerate(graph.ops) if not is_view(op.attrs)), mode)


def grow(space: Space, tiles: Sequence[Tile], limits: Limits, progress: Progress | None = None) -> Space:
    """The space with the stages of these tiles added, within the limits."""
    jobs = [(-1, j, space.net) for j in range(len(space.net.nodes))]
    for v, net in enumerate(space.nets):
        if limits.extra_macs == 0 and space.variants[v].repeated:
            continue
        lo, hi, _ = _detour(space, v)
        jobs += [(v, j, net) for j in range(lo, min(len(net.nodes), hi + BEHIND))]
    found: list[Edge] = []
    for done, edges in enumerate(_map(space, jobs, tiles, limits)):
        found += edges
        if progress is not None:
            progress(done + 1, len(jobs))
    return replace(space, edges=(*space.edges, *found))


def _map(
    space: Space, jobs: Sequence[tuple[int, int, Net]], tiles: Sequence[Tile], limits: Limits
) -> Iterator[list[Edge]]:
    """Stage ends are independent of each other."""
    if sum(len(net.nodes) for _, _, net in jobs) < 1500:
        yield from (_edges_ending_at(space, v, j, tiles, limits) for v, j, _ in jobs)
        return
    with ProcessPoolExecutor(PROCESSES, get_context("fork"), _remember, (space, tuple(tiles), limits)) as pool:
        yield from pool.map(_work, [(v, j) for v, j, _ in jobs], chunksize=4)


_job: tuple[Space, tuple[Tile, ...], Limits] | None = None


def _remember(space: Space, tiles: tuple[Tile, ...], limits: Limits) -> None:
    global _job  # of a worker process: what every job of it shares
    _job = (space, tiles, limits)


def _work(job: tuple[int, int]) -> list[Edge]:
    assert _job is not None
    return _edges_ending_at(_job[0], *job, *_job[1:])


def _detour(space: Space, variant: int) -> tuple[int, int, int]:
    """Where the rewritten graph's cuts are its own: after `lo` and before `hi`; `extra` operators more than before."""
    base, other = space.net.nodes, space.nets[variant].nodes
    lo = next(i for i, (a, b) in enumerate(zip(base, other, strict=False)) if a.name != b.name)
    block = space.variants[variant].block
    end = block.multiply if space.variants[variant].repeated else f"{block.depthwise}.concat"
    hi = next(i for i, n in enumerate(other) if n.name == end) + 1
    return lo, hi, len(other) - len(base)


def _edges_ending_at(space: Space, variant: int, j: int, tiles: Sequence[Tile], limits: Limits) -> list[Edge]:
    """Pareto-best stages for each start; of a rewritten graph only those that touch the block."""
    net = space.net if variant < 0 else space.nets[variant]
    lo, hi, extra = (0, 0, 0) if variant < 0 else _detour(space, variant)
    start = 0 if variant < 0 else max(0, lo - BEFORE)

    def node(cut: int) -> Node:
        return cut if variant < 0 or cut <= lo else (variant, cut) if cut < hi else cut - extra

    found: dict[int, list[StageCost]] = {}
    for tile in tiles:
        for i, cost in stages_ending_at(net, j, tile, limits, start):
            found.setdefault(i, []).append(cost)
    edges = [
        Edge(node(i), node(j + 1), c.bytes, c.macs, c.cost, variant, i, j, c)
        for i, costs in found.items()
        for c in _pareto(costs)
        if variant < 0 or i < hi
    ]
    if variant >= 0 and lo <= j < hi:
        nbytes = net.layer_bytes(j)
        if nbytes is not None and nbytes <= limits.bytes:
            n = net.nodes[j]
            edges.append(Edge(node(j), node(j + 1), nbytes, n.macs, n.instructions, variant, j, j, None))
    return edges


def _pareto(costs: list[StageCost]) -> list[StageCost]:
    """By bytes, MACs and instructions."""
    front: list[StageCost] = []
    for c in sorted(costs, key=lambda c: (c.bytes, c.macs, c.cost)):
        if not any(f.macs <= c.macs and f.cost <= c.cost for f in front):
            front.append(c)
    return front


def shortest(space: Space, limit_bytes: int, weigh: Callable[[Edge], int]) -> Point | None:
    """The path of least weight whose stages all keep within the limit; None: there is none."""
    out: dict[Node, list[Edge]] = {}
    for e in space.edges:
        if e.bytes <= limit_bytes:
            out.setdefault(e.start, []).append(e)
    best: dict[Node, tuple[int, Edge | None]] = {0: (0, None)}
    for cut in _topological(space):
        if cut not in best:
            continue
        base = best[cut][0]
        for e in out.get(cut, ()):
            weight = base + weigh(e)
            if e.end not in best or weight < best[e.end][0]:
                best[e.end] = (weight, e)
    at: Node = len(space.net.nodes)
    if at not in best:
        return None
    path: list[Edge] = []
    while at != 0:
        edge = best[at][1]
        assert edge is not None
        path.append(edge)
        at = edge.start
    return _point(path[::-1])


def _point(path: Sequence[Edge]) -> Point:
    nbytes = max((e.bytes for e in path), default=0)
    return Point(nbytes, sum(e.macs for e in path), sum(e.cost for e in path), tuple(path))


def _topological(space: Space) -> list[Node]:
    """Cuts of the graph in order; those inside a rewritten block between the two cuts that it hangs on."""
    inside: dict[int, list[Node]] = {}
    for v, net in enumerate(space.nets):
        lo, hi, _ = _detour(space, v)
        inside.setdefault(lo, []).extend((v, cut) for cut in range(lo + 1, min(hi, len(net.nodes))))
    order: list[Node] = []
    for cut in range(len(space.net.nodes) + 1):
        order.append(cut)
        order += inside.get(cut, [])
    return order


def by_macs(edge: Edge) -> int:
    """MACs first, instructions to choose between equals."""
    return edge.macs * (1 << 40) + edge.cost


def by_instructions(edge: Edge) -> int:
    return edge.cost


def least_bytes(space: Space, most_macs: int) -> Point | None:
    """The point of least memory that executes at most `most_macs`."""
    sizes = sorted({e.bytes for e in space.edges})
    best = shortest(space, sizes[-1], by_macs) if sizes else _point(())
    if best is None or best.macs > most_macs:
        return None
    lo, hi = 0, len(sizes) - 1
    while sizes and lo < hi:
        middle = (lo + hi) // 2
        point = shortest(space, sizes[middle], by_macs)
        if point is not None and point.macs <= most_macs:
            hi, best = middle, point
        else:
            lo = middle + 1
    return best


def front(space: Space) -> tuple[Point, ...]:
    """Every point of which no other has less memory at the same MACs or fewer, from the least memory up."""
    sizes = sorted({e.bytes for e in space.edges}, reverse=True)
    points: list[Point] = []
    at = 0
    while at < len(sizes):
        point = shortest(space, sizes[at], by_macs)
        if point is None:
            break
        if points and points[-1].macs == point.macs:
            points.pop()
        points.append(point)
        at = sizes.index(point.bytes) + 1
    return tuple(reversed(points))


def make_schedule_of(space: Space, point: Point) -> Schedule:
    """The schedule of a path: its rewritten blocks applied to one graph, its decisions turned into sweeps."""
    used = sorted({e.variant for e in point.edges if e.variant >= 0})
    graph = space.net.graph
    for v in used:
        graph = apply(graph, space.variants[v])
    net = _net(graph, space.net.mode)
    numbers = {n.name: k for k, n in enumerate(net.nodes)}
    stages: list[Stage] = []
    for e in point.edges:
        source = space.net if e.variant < 0 else space.nets[e.variant]
        first = numbers[source.nodes[e.first].name]
        last = numbers[source.nodes[e.last].name]
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
    tensor: TensorId = next(n.out for n in target.nodes if n.name == name)
    return choice._replace(tensor=tensor)


def tiles_of(edges: Iterable[Edge]) -> tuple[Tile, ...]:
    return tuple(e.stage.tile for e in edges if e.stage is not None)
