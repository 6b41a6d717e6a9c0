"""Views: operators that only rename bytes. They run no code, are in no stage, and share their input's buffer."""

from __future__ import annotations

from tessera.ir.attrs import Attrs, Reshape
from tessera.ir.graph import Graph, TensorId


def is_view(attrs: Attrs) -> bool:
    return isinstance(attrs, Reshape)


def view_roots(graph: Graph) -> dict[TensorId, TensorId]:
    """Each tensor of the graph -> the tensor whose bytes it is: itself, but for the output of a view."""
    roots = {TensorId(i): TensorId(i) for i in range(len(graph.tensors))}
    for op in graph.ops:
        if is_view(op.attrs):
            roots[op.outputs[0]] = roots[op.inputs[0]]
    return roots
