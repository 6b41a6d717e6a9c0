"""Global averages that a converter wrote as two means."""

from __future__ import annotations

from dataclasses import replace

from tessera.ir.attrs import Mean, MeanOfMeans, Reshape, Transpose
from tessera.ir.graph import Graph, Op, Tensor, TensorId

CHANNELS_FIRST = Transpose((0, 3, 1, 2))


def fuse_means(graph: Graph) -> Graph:
    """Before: MEAN over columns -> t -> MEAN over rows. After: one operator that runs over the map's rows as they come.

    Also where the map is transposed to [1, C, H, W] first, and the result is [1, C]. Only where nothing else reads what
    lies between. Both roundings stay.
    """
    fused = {n: found for n in range(len(graph.ops)) if (found := _two_means(graph, n)) is not None}
    tensors, ops = list(graph.tensors), list[Op]()
    gone = {i for chain in fused.values() for i in chain[:-1]}
    for n, op in enumerate(graph.ops):
        if n not in fused:
            ops += [op] if n not in gone else []
            continue
        first, mean = graph.ops[fused[n][0]], graph.ops[fused[n][-2]]
        t, y = graph.tensor(mean.outputs[0]), graph.tensor(op.outputs[0])
        attrs = MeanOfMeans(t.q.scale, t.q.zero_point)
        if len(y.shape) == 4:
            ops.append(replace(op, attrs=attrs, inputs=first.inputs))
            continue
        tensors.append(_as_map(y))
        pixel = TensorId(len(tensors) - 1)
        ops.append(Op(op.name, attrs, first.inputs, (pixel,)))
        ops.append(replace(op, name=f"{op.name}_vector", attrs=Reshape(), inputs=(pixel,)))
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def _two_means(graph: Graph, n: int) -> tuple[int, ...] | None:
    """The operators of the pattern that ends with operator n, first to last."""
    for pattern in (
        (Mean((2,), True), Mean((1,), True)),
        (CHANNELS_FIRST, Mean((3,), False), Mean((2,), False)),
    ):
        chain = _chain(graph, n, pattern)
        if chain is not None and _is_one_map(graph, graph.ops[chain[0]]):
            return chain
    return None


def _is_one_map(graph: Graph, first: Op) -> bool:
    """And a transposition, which moves bytes whatever it says of their scale, says nothing new of it."""
    x, y = graph.tensor(first.inputs[0]), graph.tensor(first.outputs[0])
    return len(x.shape) == 4 and x.shape[0] == 1 and (isinstance(first.attrs, Mean) or x.q.same_as(y.quant))


def _chain(graph: Graph, n: int, pattern: tuple[Mean | Transpose, ...]) -> tuple[int, ...] | None:
    """Operators with these attributes that feed only each other, up to operator n."""
    producers, readers = graph.producer(), graph.consumers()
    chain = [n]
    for attrs in reversed(pattern):
        op = graph.ops[chain[0]]
        if op.attrs != attrs:
            return None
        if len(chain) == len(pattern):
            return tuple(chain)
        before = op.inputs[0]
        if before not in producers or len(readers[before]) != 1 or before in graph.outputs:
            return None
        chain.insert(0, producers[before])
    raise AssertionError("a pattern has operators")


def _as_map(tensor: Tensor) -> Tensor:
    """[1, C] as one pixel."""
    return replace(tensor, name=f"{tensor.name}_map", shape=(1, 1, 1, tensor.size), source=None)
