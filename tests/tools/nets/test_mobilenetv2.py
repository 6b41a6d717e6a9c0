"""MobileNetV2 as a graph: the published sizes, and the same shapes as its Keras definition."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from tessera.interpreter import run
from tessera.ir.verify import verify_graph
from tessera.nets.mobilenetv2 import MOBILENETV2, NETS, Net, build_graph
from tessera.schedule.cost import macs

FOLDER = Path(__file__).resolve().parents[3] / "models" / "mobilenetv2"


@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
def test_the_graph_runs_and_its_maps_keep_their_spread(net: Net) -> None:
    graph = build_graph(net, width=0.35, size=64, classes=10)
    verify_graph(graph)
    image = np.random.default_rng(0).integers(-128, 128, (1, 64, 64, 3), dtype=np.int8)
    values = run(graph, [image])
    for i, tensor in enumerate(graph.tensors):
        if not tensor.is_constant:
            value = values[i]
            assert value is not None
            assert value.std() > 5, tensor.name


def test_published_macs_and_parameters() -> None:
    """Table 4 of arXiv 1801.04381: 300 M and 3.4 M; 0.35 at 224 of the reference code's table: 59 M, 1.66 M."""
    for width, expected_macs, expected_parameters in ((1.0, 300e6, 3.4e6), (0.35, 59e6, 1.66e6)):
        graph = build_graph(MOBILENETV2, width=width)
        parameters = sum(t.size for t in graph.tensors if t.is_constant)
        assert macs(graph) == pytest.approx(expected_macs, rel=0.02)
        assert parameters == pytest.approx(expected_parameters, rel=0.03)


def test_the_same_seed_gives_the_same_weights() -> None:
    first, again, other = (build_graph(MOBILENETV2, width=0.35, size=32, seed=s) for s in (1, 1, 2))
    same = [np.array_equal(a.data, b.data) for a, b in zip(first.tensors, again.tensors, strict=True) if a.is_constant]
    assert all(same)
    assert not np.array_equal(first.tensors[1].data, other.tensors[1].data)


@pytest.mark.slow
@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
def test_keras_and_the_graph_have_the_same_shapes(net: Net) -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed: ./inv train installs it")
    spec = importlib.util.spec_from_file_location("mobilenetv2_definition", FOLDER / "definition.py")
    assert spec is not None
    assert spec.loader is not None
    definition = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = definition
    spec.loader.exec_module(definition)
    model = definition.build(net, width=0.35, size=96, classes=10)
    graph = build_graph(net, width=0.35, size=96, classes=10)
    shapes = {op.outputs[0]: op.name for op in graph.ops}
    layers = {layer.name: tuple(layer.output.shape[1:]) for layer in model.layers}
    for tensor, name in shapes.items():
        assert layers[name] == graph.tensor(tensor).shape[1:], name
    weights = sum(graph.tensor(t).size for op in graph.ops for t in op.inputs if graph.tensor(t).is_constant)
    folded = sum(w.shape.num_elements() for w in model.weights if not w.path.split("/")[0].endswith("_bn"))
    biases = sum(layer.output.shape[-1] for layer in model.layers if layer.name.endswith("_bn"))
    assert folded + biases == weights, "a batch normalisation leaves one bias a channel"
