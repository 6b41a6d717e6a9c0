"""Net: a graph as the schedule search reads it: operators in a fixed order, maps with their scale, who lives when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import lcm

from tessera.ir import attrs as ir
from tessera.ir.graph import Graph, TensorId
from tessera.kernels.isa import PORTABLE, KernelSet
from tessera.kernels.scratch import scratch_bytes
from tessera.memory.align import align_up
from tessera.memory.overlap import lead_bytes, saved_bytes
from tessera.schedule.cost import op_macs
from tessera.schedule.instructions import op_instructions
from tessera.schedule.schedule import InputMode
from tessera.schedule.streamable import Source, Upsample, Window, streamable
from tessera.schedule.views import is_view, view_roots


@dataclass(frozen=True, slots=True)
class Map:
    """A feature map of one-byte elements. A row (column) of it is as far as `scale_h` (`scale_w`) of the image's."""

    h: int
    w: int
    c: int
    scale_h: Fraction
    scale_w: Fraction


@dataclass(frozen=True, slots=True)
class Node:
    """An operator; `sources` are the maps that it reads row by row, empty where it runs as a layer only."""

    op: int  # index into graph.ops
    name: str
    out: TensorId
    sources: tuple[Source, ...]
    reduces: bool
    row_by_row: bool  # takes one row after the other, each whole
    in_place: bool  # element i of the output depends on element i of the inputs
    macs: int
    layer_instructions: int
    streamed_instructions: int
    layer_scratch: int  # bytes, aligned
    streamed_scratch: int

    @property
    def streams(self) -> bool:
        return bool(self.sources)


@dataclass(frozen=True, eq=False)
class Net:
    """`live[i]`: tensors that exist whole at the cut before node i, views as what they view; a pulled input is among
    them only between its first and its last reader."""

    graph: Graph
    mode: InputMode
    kernels: KernelSet
    nodes: tuple[Node, ...]
    maps: dict[TensorId, Map]
    sizes: dict[TensorId, int]  # bytes whole, aligned
    roots: dict[TensorId, TensorId]
    made_by: dict[TensorId, int]
    last_read: dict[TensorId, int]  # by tensor, views apart; len(nodes): a graph output
    live: tuple[frozenset[TensorId], ...]
    pulled: frozenset[TensorId]  # graph inputs that stages pull

    @cached_property
    def macs(self) -> int:
        return sum(n.macs for n in self.nodes)

    def whole_bytes(self, cut: int) -> int:
        """Of the tensors that exist whole at a cut, whatever the schedule."""
        return sum(self.sizes[t] for t in self.live[cut])

    @cached_property
    def units(self) -> dict[TensorId, tuple[int, int]]:
        """The scales of maps as whole numbers, of one unit along each axis."""
        h = lcm(*(m.scale_h.denominator for m in self.maps.values()))
        w = lcm(*(m.scale_w.denominator for m in self.maps.values()))
        return {t: (int(m.scale_h * h), int(m.scale_w * w)) for t, m in self.maps.items()}

    def layer_bytes(self, i: int) -> int | None:
        """Node i alone on whole maps; None where it reads a pulled input that no stage has pulled whole before."""
        op = self.graph.ops[self.nodes[i].op]
        reads = {self.roots[t] for t in op.inputs if self.roots[t] in self.sizes}
        if any(t in self.pulled and t not in self.live[i] for t in reads):
            return None
        alive = self.live[i] | self.live[i + 1] | reads | set(op.outputs)
        leads: dict[TensorId, list[int | None]] = {}
        for k, t in enumerate(op.inputs):
            root = self.roots[t]
            if root in reads and root not in self.live[i + 1]:
                leads.setdefault(root, []).append(lead_bytes(self.graph, op, k) if len(op.outputs) == 1 else None)
        known = [(self.sizes[t], max(x for x in v if x is not None)) for t, v in leads.items() if None not in v]
        need = sum(self.sizes[t] for t in alive) - saved_bytes(self.sizes[op.outputs[0]], known)
        return need + self.nodes[i].layer_scratch


def make_net(graph: Graph, order: tuple[int, ...], mode: InputMode, kernels: KernelSet = PORTABLE) -> Net:
    roots = view_roots(graph)
    plain = [_node(graph, i, kernels) for i in order]
    maps = _maps(graph, plain)
    nodes = tuple(n if _steady(n, maps) else _as_layer(n) for n in plain)
    made_by = {t: k for k, n in enumerate(nodes) for t in graph.ops[n.op].outputs}
    last_read: dict[TensorId, int] = {}
    first_read: dict[TensorId, int] = {}
    end: dict[TensorId, int] = {}
    for k, n in enumerate(nodes):
        for t in graph.ops[n.op].inputs:
            last_read[t] = k
            end[roots[t]] = k
            first_read.setdefault(roots[t], k)
    for t in graph.outputs:
        last_read[t] = end[roots[t]] = len(nodes)
    pulled = frozenset(
        t for t in graph.inputs if mode is not InputMode.RESIDENT and _can_be_pulled(graph, t, nodes, end)
    )
    sizes = {t: align_up(graph.tensor(t).nbytes) for t in (*graph.inputs, *made_by)}
    sizes |= {n.out: sum_bytes(graph, n) for n in nodes if n.reduces}
    live = []
    for cut in range(len(nodes) + 1):
        alive = {t for t in made_by if made_by[t] < cut <= end.get(t, -1)}
        for t in graph.inputs:
            start = first_read.get(t, 0) if t in pulled else -1
            if start < cut <= end.get(t, 0) and not (t in pulled and mode is InputMode.REREAD):
                alive.add(t)
        live.append(frozenset(alive))
    return Net(graph, mode, kernels, nodes, maps, sizes, roots, made_by, last_read, tuple(live), pulled)


def sum_bytes(graph: Graph, node: Node) -> int:
    """The buffer of a reduction inside a stage: int32 sums of the map, and of a row where rows are rounded first."""
    op = graph.ops[node.op]
    return graph.tensor(node.out).shape[-1] * (8 if isinstance(op.attrs, ir.MeanOfMeans) else 4)


def _node(graph: Graph, i: int, kernels: KernelSet) -> Node:
    op = graph.ops[i]
    assert not is_view(op.attrs), op.name
    how = streamable(graph, op)
    sources = () if how is None else tuple(s for s in how.sources if s.rows is not None)
    in_place = isinstance(op.attrs, ir.Lookup | ir.Add | ir.Sub | ir.Mul | ir.PRelu)
    reduces, row_by_row = how is not None and how.reduces, isinstance(op.attrs, ir.MeanOfMeans)
    as_layer, in_stage = (op_instructions(graph, op, kernels, streamed=s) for s in (False, True))
    layer, streamed = (align_up(scratch_bytes(graph, op, kernels, streamed=s)) for s in (False, True))
    return Node(
        op=i,
        name=op.name,
        out=op.outputs[0],
        sources=sources,
        reduces=reduces,
        row_by_row=row_by_row,
        in_place=in_place,
        macs=op_macs(graph, op),
        layer_instructions=as_layer,
        streamed_instructions=in_stage,
        layer_scratch=layer,
        streamed_scratch=streamed,
    )


def _as_layer(node: Node) -> Node:
    return replace(node, sources=(), reduces=False)


def _maps(graph: Graph, nodes: list[Node]) -> dict[TensorId, Map]:
    maps: dict[TensorId, Map] = {}

    def add(t: TensorId, scale_h: Fraction, scale_w: Fraction) -> None:
        shape = graph.tensor(t).shape
        if len(shape) == 4 and shape[0] == 1:
            maps[t] = Map(shape[1], shape[2], shape[3], scale_h, scale_w)

    for t in range(len(graph.tensors)):
        add(TensorId(t), Fraction(1), Fraction(1))
    for n in nodes:
        if n.sources and not n.reduces:
            first = n.sources[0]
            x = maps[first.tensor]
            add(n.out, _scaled(x.scale_h, first.rows), _scaled(x.scale_w, first.cols))
    return maps


def _scaled(scale: Fraction, axis: Window | Upsample | None) -> Fraction:
    assert axis is not None
    return scale / axis.factor if isinstance(axis, Upsample) else scale * axis.stride


def _steady(node: Node, maps: dict[TensorId, Map]) -> bool:
    """All maps that it reads advance at one rate."""
    if node.reduces:
        return True
    rates = {(_scaled(maps[s.tensor].scale_h, s.rows), _scaled(maps[s.tensor].scale_w, s.cols)) for s in node.sources}
    return len(rates) == 1


def _can_be_pulled(graph: Graph, t: TensorId, nodes: tuple[Node, ...], end: dict[TensorId, int]) -> bool:
    """An 8-bit map that operators read row by row, and that is no output itself."""
    tensor = graph.tensor(t)
    readers = [n for n in nodes if t in graph.ops[n.op].inputs]
    rows_only = bool(readers) and all(any(s.tensor == t for s in n.sources) for n in readers)
    viewed = any(is_view(op.attrs) and t in op.inputs for op in graph.ops)
    return tensor.dtype.nbytes == 1 and rows_only and not viewed and end[t] < len(nodes)
