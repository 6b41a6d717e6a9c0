"""A graph without some of its channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tessera.arith.fixed_point import INT32_MAX, Ints
from tessera.ir.attrs import Attrs, Conv2D, DepthwiseConv2D, FullyConnected, Pad, StridedSlice
from tessera.ir.graph import DType, Graph, Op, Quant, Tensor, TensorId
from tessera.kernels.operands import bias_of, constant
from tessera.passes.channel_ranges import Bools, channels_of


def cut_channels(graph: Graph, masks: Mapping[TensorId, Bools], added: Mapping[str, Ints]) -> Graph:
    """The channels of `masks` that are false go, and with them what weights them. `added` [output channels], by the
    operator's name, is what the channels that it no longer reads added to its sums.

    Weights and biases that change are new tensors, since others may read the old ones.
    """
    tensors = [_cut(t, masks[i]) if (i := TensorId(n)) in masks else t for n, t in enumerate(graph.tensors)]
    ops: list[Op] = []
    for op in graph.ops:
        if any(i in masks for i in (*op.inputs, *op.outputs)):
            if isinstance(op.attrs, Conv2D | DepthwiseConv2D | FullyConnected):
                constants = _constants(graph, op, masks, added.get(op.name))
                op = replace(op, inputs=(op.inputs[0], *(TensorId(len(tensors) + n) for n in range(len(constants)))))
                tensors += constants
            op = replace(op, attrs=_attrs(graph, op, masks))
        ops.append(op)
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def _cut(t: Tensor, mask: Bools) -> Tensor:
    left = np.flatnonzero(mask).tolist()
    data = None if t.data is None else np.ascontiguousarray(t.data[..., mask])
    kept = tuple(left if t.kept is None else (t.kept[c] for c in left))
    return replace(t, shape=(*t.shape[:-1], len(left)), data=data, kept=kept)


def _mask(graph: Graph, i: TensorId, masks: Mapping[TensorId, Bools]) -> Bools:
    return masks[i] if i in masks else np.ones(channels_of(graph.tensor(i)), np.bool_)


def _constants(graph: Graph, op: Op, masks: Mapping[TensorId, Bools], added: Ints | None) -> list[Tensor]:
    """Weights and, if there is one now, the bias."""
    w, x, y = graph.tensor(op.inputs[1]), _mask(graph, op.inputs[0], masks), _mask(graph, op.outputs[0], masks)
    data = constant(w)
    match op.attrs:
        case Conv2D():
            data = data[y][..., x]
        case DepthwiseConv2D():
            data = data[..., y]
        case _:
            data = data[y][:, np.resize(x, data.shape[1])]
    quant = w.quant
    if quant is not None and len(quant.scales) > 1:
        quant = Quant(quant.scales[y], quant.zero_point, quant.axis)
    result = [replace(w, shape=data.shape, data=np.ascontiguousarray(data), quant=quant, source=None)]
    bias = bias_of(graph, op)
    more = np.zeros(len(y), np.int64) if added is None else added
    if bias is not None or more[y].any():
        total = (more if bias is None else more + bias.astype(np.int64))[y]
        assert np.abs(total).max() <= INT32_MAX, op.name
        name = f"{op.name}_bias" if bias is None else graph.tensor(op.inputs[2]).name
        result.append(Tensor(name, total.shape, DType.INT32, None, total.astype(np.int32)))
    return result


def _attrs(graph: Graph, op: Op, masks: Mapping[TensorId, Bools]) -> Attrs:
    x, y = op.inputs[0], op.outputs[0]
    match op.attrs:
        case Pad(amounts=amounts):
            before, padded = amounts[-1][0], _mask(graph, y, masks)
            end = before + channels_of(graph.tensor(x))
            return Pad((*amounts[:-1], (int(padded[:before].sum()), int(padded[end:].sum()))), op.attrs.value)
        case StridedSlice() as s:
            return replace(s, size=(*s.size[:-1], int(_mask(graph, x, masks).sum())))
        case attrs:
            return attrs
