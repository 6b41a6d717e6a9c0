"""Peak model of an operator order: bytes that must exist while each operator runs, what safe overlap shares taken off.

The model knows sets of operators already run, as bit masks over the non-view operators in file order: which bytes are
alive depends on the set only, not on the order in which it was run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tessera.ir.graph import Graph, TensorId
from tessera.memory.align import align_up
from tessera.memory.overlap import lead_bytes, saved_bytes
from tessera.schedule.views import is_view, view_roots


@dataclass(frozen=True, slots=True)
class Value:
    """Bytes of an activation and its views."""

    nbytes: int
    readers: int  # mask of the operators that read it
    kept: bool  # a graph output: never dies


@dataclass(frozen=True, slots=True)
class Node:
    """An operator of the model; `leads` holds, for each input that may overlap the output, (value, lead)."""

    op: int  # index into graph.ops
    needs: int  # mask of the operators that must run before
    reads: tuple[int, ...]  # values
    writes: tuple[int, ...]
    leads: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class PeakModel:
    nodes: tuple[Node, ...]
    values: tuple[Value, ...]
    start_bytes: int  # graph inputs that somebody reads
    unread_bytes: int  # graph inputs that nobody reads: they exist during the first operator

    @property
    def everything(self) -> int:
        return (1 << len(self.nodes)) - 1

    def ready(self, done: int) -> Iterator[int]:
        return (i for i, n in enumerate(self.nodes) if not done >> i & 1 and n.needs & ~done == 0)

    def step(self, done: int, live_bytes: int, node: int) -> tuple[int, int]:
        """(bytes that exist while `node` runs, bytes alive after it), given the bytes alive before it."""
        n, after = self.nodes[node], done | 1 << node
        born = sum(self.values[v].nbytes for v in n.writes)
        dying = {v for v in n.reads if not self.values[v].kept and self.values[v].readers & ~after == 0}
        shared = [(self.values[v].nbytes, lead) for v, lead in n.leads if v in dying]
        saved = saved_bytes(born, shared) if shared else 0
        unread = sum(self.values[v].nbytes for v in n.writes if not self.values[v].readers and not self.values[v].kept)
        extra = self.unread_bytes if not done else 0
        return (
            live_bytes + born - saved + extra,
            live_bytes + born - unread - sum(self.values[v].nbytes for v in dying),
        )

    def peak(self, order: Sequence[int]) -> int:
        """Peak bytes of an order of the nodes."""
        done, live, peak = 0, self.start_bytes, 0
        for node in order:
            step, live = self.step(done, live, node)
            done, peak = done | 1 << node, max(peak, step)
        return peak

    def floor(self) -> int:
        """What every order needs: each operator's own inputs and outputs, sharing all that they can."""
        return max((self._alone(n) for n in self.nodes), default=0)

    def _alone(self, n: Node) -> int:
        born = sum(self.values[v].nbytes for v in n.writes)
        saved = saved_bytes(born, [(self.values[v].nbytes, lead) for v, lead in n.leads]) if n.leads else 0
        return born + sum(self.values[v].nbytes for v in n.reads) - saved


def make_peak_model(graph: Graph) -> PeakModel:
    """The model of a graph; sizes are aligned as the planner will align them."""
    roots = view_roots(graph)
    ops = [i for i, op in enumerate(graph.ops) if not is_view(op.attrs)]
    maker = {t: node for node, i in enumerate(ops) for t in graph.ops[i].outputs}
    readers: dict[TensorId, int] = {}
    for node, i in enumerate(ops):
        for t in {roots[t] for t in graph.ops[i].inputs}:
            readers[t] = readers.get(t, 0) | 1 << node
    kept = {roots[t] for t in graph.outputs}
    ids = {t: v for v, t in enumerate(dict.fromkeys([*graph.inputs, *maker]))}
    values = [Value(align_up(graph.tensor(t).nbytes), readers.get(t, 0), t in kept) for t in ids]
    nodes: list[Node] = []
    for i in ops:
        op = graph.ops[i]
        reads = dict.fromkeys(roots[t] for t in op.inputs if roots[t] in ids)
        leads: list[tuple[int, int]] = []
        for t in reads if len(op.outputs) == 1 else ():
            needs = [lead_bytes(graph, op, k) for k, operand in enumerate(op.inputs) if roots[operand] == t]
            known = [lead for lead in needs if lead is not None]
            if len(known) == len(needs) and not values[ids[t]].kept:
                leads.append((ids[t], max(known)))
        before = sum({1 << maker[t] for t in reads if t in maker})
        nodes.append(
            Node(i, before, tuple(ids[t] for t in reads), tuple(ids[t] for t in op.outputs), tuple(leads)),
        )
    inputs = [values[ids[t]] for t in graph.inputs]
    read = sum(v.nbytes for v in inputs if v.readers or v.kept)
    return PeakModel(tuple(nodes), tuple(values), read, sum(v.nbytes for v in inputs) - read)
