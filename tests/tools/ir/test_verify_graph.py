"""verify_graph accepts what is right and names what is wrong."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from single_op import GENERATORS, draw_case
from tessera.frontend.tflite import load_tflite
from tessera.ir.graph import DType, Graph, Op, Tensor
from tessera.ir.names import unique_names
from tessera.ir.verify import InternalError, verify_graph


def edit_tensor(graph: Graph, i: int, **changes: object) -> Graph:
    tensors = list(graph.tensors)
    tensors[i] = replace(tensors[i], **changes)  # type: ignore[arg-type]
    return replace(graph, tensors=tuple(tensors))


def edit_op(graph: Graph, **changes: object) -> Graph:
    return replace(graph, ops=(replace(graph.ops[0], **changes),))  # type: ignore[arg-type]


def conv() -> Graph:
    return load_tflite(draw_case("CONV_2D", 2)[0])


def twice(graph: Graph) -> Graph:
    return replace(graph, ops=(*graph.ops, replace(graph.ops[0], name="again")))


BROKEN: dict[str, Callable[[Graph], Graph]] = {
    "gives .* and its outputs are": lambda g: edit_tensor(g, g.outputs[0], shape=(1, 1, 1, 77)),
    "has no scale of its own": lambda g: edit_tensor(g, g.inputs[0], quant=None),
    "is float32": lambda g: edit_tensor(g, g.outputs[0], dtype=DType.FLOAT32, quant=None),
    "has data of": lambda g: edit_tensor(g, g.ops[0].inputs[1], data=np.zeros(3, np.int8)),
    "before it is computed": lambda g: replace(g, inputs=()),
    "which has a value already": twice,
    "comes twice": lambda g: replace(g, inputs=(*g.inputs, *g.inputs)),
    "never computed": lambda g: replace(g, ops=()),
    "operator name": lambda g: edit_op(g, name=""),
    "reads tensor 99": lambda g: edit_op(g, inputs=(99,)),
    "has 1 inputs": lambda g: edit_op(g, inputs=g.ops[0].inputs[:1]),
    "clamps to": lambda g: edit_op(g, attrs=replace(g.ops[0].attrs, clamp=(-300, 127))),
    "padding": lambda g: edit_op(g, attrs=replace(g.ops[0].attrs, padding=(-1, 0, 0, 0))),
    "unknown class": lambda g: edit_op(g, attrs="conv"),
}


@pytest.mark.parametrize("words", BROKEN)
def test_broken_graphs_are_named(words: str) -> None:
    with pytest.raises(InternalError, match=words):
        verify_graph(BROKEN[words](conv()))


@pytest.mark.parametrize("name", GENERATORS)
def test_another_output_shape_is_noticed(name: str) -> None:
    graph = load_tflite(draw_case(name, 1)[0])
    verify_graph(graph)
    t: Tensor = graph.tensors[graph.outputs[0]]
    with pytest.raises(InternalError):
        verify_graph(edit_tensor(graph, graph.outputs[0], shape=(*t.shape, 2)))


def test_operators_have_short_names() -> None:
    names = ["a/b/Conv2D;a/b/Bias", "a/b/Conv2D", "", "1x1", "x" * 90, "long/" * 20 + "end"]
    assert unique_names(names) == [
        "a_b_Conv2D",
        "a_b_Conv2D_2",
        "op",
        "op_1x1",
        "x" * 40,
        "long_long_long_long_long_long_long_end",
    ]
    assert isinstance(conv().ops[0], Op)
