"""The space of schedules: cuts of the operator order as nodes, layers and streamed stages as edges.

A schedule is a path from the first cut to the last, and what an edge costs depends on its two ends only. A rewritten
block (rewrite.py) is a detour between two cuts of the graph: outside the block it shares the graph's cuts. Edges are
added tile by tile and block by block (`grow`, `open_blocks`); paths are found exactly (paths.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

from tessera.ir.graph import Graph
from tessera.kernels.isa import PORTABLE, KernelSet
from tessera.schedule.net import Net, make_net
from tessera.schedule.region import Limits, StageCost, Tile, stages_ending_at
from tessera.schedule.reorder import find_order
from tessera.schedule.rewrite import Block, Variant, apply, find_blocks, order_ops, variants_of
from tessera.schedule.schedule import InputMode
from tessera.schedule.views import is_view

BEFORE, BEHIND = 4, 6
"""How many operators before and behind a rewritten block its stages may begin and end."""
PROCESSES = 2
SMALL_JOB = 12
"""Stage ends that are searched without starting other processes."""

Cut = int | tuple[int, int]  # before an operator of the graph; or (variant, operator) inside a rewritten block
BASE = -1  # the graph itself, where a variant is named
Job = tuple[int, int]  # (variant, the node with which stages end)


@dataclass(frozen=True, slots=True)
class Edge:
    """Nodes [first, last] of a graph run together: a layer (no `stage`) or a streamed stage."""

    start: Cut
    end: Cut
    bytes: int
    macs: int
    cost: int  # instructions, estimated
    variant: int  # BASE or index into Space.nets
    first: int
    last: int
    stage: StageCost | None


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """What is known of the schedules of a graph."""

    net: Net
    blocks: tuple[Block, ...]
    variants: tuple[Variant, ...] = ()  # of blocks that were opened
    nets: tuple[Net, ...] = ()  # theirs
    edges: tuple[Edge, ...] = ()


Progress = Callable[[str, int, int], None]  # (what, done, of)


def make_space(graph: Graph, mode: InputMode, kernels: KernelSet = PORTABLE, *, max_states: int = 20_000) -> Space:
    """Layers only, in the order of least peak."""
    ordered = order_ops(graph, find_order(graph, max_states=max_states).ops)
    net = net_of(ordered, mode, kernels)
    space = Space(net, tuple(find_blocks(ordered)))
    return replace(space, edges=tuple(e for j in range(len(net.nodes)) for e in _layer(space, BASE, j)))


def net_of(graph: Graph, mode: InputMode, kernels: KernelSet = PORTABLE) -> Net:
    """Operators in the order of the graph."""
    return make_net(graph, tuple(i for i, op in enumerate(graph.ops) if not is_view(op.attrs)), mode, kernels)


def open_blocks(space: Space, blocks: Collection[int], extra_macs: int) -> Space:
    """Variants of these blocks join the space, with layers only; among them those that together spend `extra_macs`."""
    twice = sum(space.blocks[b].macs for b in blocks if space.blocks[b].multiply)
    share = min(1.0, extra_macs / twice) if twice else 0.0
    fresh = [v for b in sorted(blocks) for v in variants_of(space.blocks[b], share) if v not in space.variants]
    nets = [net_of(apply(space.net.graph, v), space.net.mode, space.net.kernels) for v in fresh]
    grown = replace(space, variants=(*space.variants, *fresh), nets=(*space.nets, *nets))
    edges = [
        e
        for v in range(len(space.variants), len(grown.variants))
        for j in range(detour(grown, v)[0], detour(grown, v)[1])
        for e in _layer(grown, v, j)
    ]
    return replace(grown, edges=(*space.edges, *edges))


def detour(space: Space, variant: int) -> tuple[int, int, int]:
    """Cuts (lo, hi) of a rewritten graph's nodes are its own; `extra` operators more than the graph has."""
    base, other, block = space.net.nodes, space.nets[variant].nodes, space.variants[variant].block
    lo = next(i for i, n in enumerate(base) if n.name == block.expand)
    end = block.multiply or f"{block.last}.concat"
    hi = next(i for i, n in enumerate(other) if n.name == end) + 1
    return lo, hi, len(other) - len(base)


def grow(
    space: Space, jobs: Sequence[Job], tiles: Sequence[Tile], limits: Limits, progress: Progress | None = None
) -> Space:
    """The stages of these tiles that end with the nodes named join the space, within the limits."""
    found: list[Edge] = []
    for done, edges in enumerate(_search(space, jobs, tiles, limits)):
        found += edges
        if progress is not None:
            progress("stages", done + 1, len(jobs))
    return replace(space, edges=(*space.edges, *found))


def jobs_of(space: Space, variant: int, limits: Limits) -> list[Job]:
    """Every node with which a stage of the graph, or one that touches the rewritten block, may end."""
    if variant == BASE:
        return [(BASE, j) for j in range(len(space.net.nodes))]
    if space.variants[variant].repeated and limits.extra_macs == 0:
        return []
    lo, hi, _ = detour(space, variant)
    return [(variant, j) for j in range(lo, min(len(space.nets[variant].nodes), hi + BEHIND))]


def _search(space: Space, jobs: Sequence[Job], tiles: Sequence[Tile], limits: Limits) -> Iterator[list[Edge]]:
    """Stage ends are independent of each other: they are shared out to processes, and the answers come in order."""
    if len(jobs) < SMALL_JOB:
        yield from (_stages(space, *job, tiles, limits) for job in jobs)
        return
    with ProcessPoolExecutor(PROCESSES, get_context("fork"), _remember, (space, tuple(tiles), limits)) as pool:
        yield from pool.map(_work, jobs, chunksize=2)


_shared: tuple[Space, tuple[Tile, ...], Limits] | None = None  # of a worker process: what all its jobs read


def _remember(space: Space, tiles: tuple[Tile, ...], limits: Limits) -> None:
    global _shared
    _shared = (space, tiles, limits)


def _work(job: Job) -> list[Edge]:
    assert _shared is not None
    return _stages(_shared[0], *job, *_shared[1:])


def _stages(space: Space, variant: int, j: int, tiles: Sequence[Tile], limits: Limits) -> list[Edge]:
    """Pareto-best stages that end with node j, for each start; of a rewritten graph those that touch the block."""
    net = space.net if variant == BASE else space.nets[variant]
    start, touch = 0, len(net.nodes)
    if variant != BASE:
        lo, touch, _ = detour(space, variant)
        start = max(0, lo - BEFORE)
    found: dict[int, list[StageCost]] = {}
    for tile in tiles:
        for i, cost in stages_ending_at(net, j, tile, limits, start):
            if i < touch:
                found.setdefault(i, []).append(cost)
    return [_edge(space, variant, i, j, c) for i, costs in found.items() for c in _pareto(costs)]


def _layer(space: Space, variant: int, j: int) -> list[Edge]:
    net = space.net if variant == BASE else space.nets[variant]
    nbytes, node = net.layer_bytes(j), net.nodes[j]
    if nbytes is None:
        return []
    return [
        Edge(
            _cut(space, variant, j),
            _cut(space, variant, j + 1),
            nbytes,
            node.macs,
            node.layer_instructions,
            variant,
            j,
            j,
            None,
        )
    ]


def _edge(space: Space, variant: int, i: int, j: int, c: StageCost) -> Edge:
    return Edge(_cut(space, variant, i), _cut(space, variant, j + 1), c.bytes, c.macs, c.cost, variant, i, j, c)


def _cut(space: Space, variant: int, at: int) -> Cut:
    if variant == BASE:
        return at
    lo, hi, extra = detour(space, variant)
    return at if at <= lo else (variant, at) if at < hi else at - extra


def _pareto(costs: list[StageCost]) -> list[StageCost]:
    """By bytes, MACs and instructions."""
    front: list[StageCost] = []
    for c in sorted(costs, key=lambda c: (c.bytes, c.macs, c.cost)):
        if not any(f.macs <= c.macs and f.cost <= c.cost for f in front):
            front.append(c)
    return front
