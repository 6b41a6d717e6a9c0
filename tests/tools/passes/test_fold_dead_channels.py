"""Channels that go, channels that stay, and random networks whose other channels keep every byte."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dead_nets import dead_net
from graphs import conv1x1, graph_of, kinds, quant, tensor

from single_op import Spec, model_of, options
from tessera.cli.inspect import folding_sentence, inspect_report
from tessera.frontend.tflite import load_tflite
from tessera.interpreter import run
from tessera.ir import attrs as a
from tessera.ir.graph import DType, Graph, Op, Tensor
from tessera.ir.verify import verify_graph
from tessera.models import find_model
from tessera.oracle.compare import differences, expected_tensors, litert_inputs
from tessera.oracle.inputs import test_inputs
from tessera.passes import EDGES_FLOAT_PASSES, PASSES, Pass, run_passes
from tessera.passes.channel_ranges import Taps, taps
from tessera.passes.fold_dead_channels import fold_dead_channels
from tessera.pipeline import compile_model
from tessera.schedule.cost import macs

NETS = 400
WHOLE = (-128, 127)
SAME = (1, 1, 1, 1)


def differing(before: Graph, after: Graph, runs: int = 3) -> list[str]:
    """Tensors of `after` of which a channel that is left differs from that of `before`, for random inputs."""
    rng = np.random.default_rng(1)
    wrong: set[str] = set()
    for _ in range(runs):
        inputs = [rng.integers(-128, 128, before.tensor(i).shape).astype(np.int8) for i in before.inputs]
        first, second = run(before, inputs), run(after, inputs)
        for i in (i for op in after.ops for i in op.outputs):
            ours, theirs, t = second[i], first[i], after.tensor(i)
            assert ours is not None
            assert theirs is not None
            theirs = theirs if t.kept is None else theirs.take(t.kept, axis=-1)
            if ours.shape != theirs.shape or ours.tobytes() != theirs.tobytes():
                wrong.add(t.name)
    return sorted(wrong)


def test_random_networks_keep_every_byte_that_is_left() -> None:
    folded = 0
    for seed in range(NETS):
        before = dead_net(seed)
        after = fold_dead_channels(before)
        verify_graph(after)
        assert not differing(before, after), seed
        assert [after.tensor(i).shape for i in (*after.inputs, *after.outputs)] == [
            before.tensor(i).shape for i in (*before.inputs, *before.outputs)
        ]
        assert macs(fold_dead_channels(after)) == macs(after), f"{seed}: a second time finds more"
        folded += macs(after) < macs(before)
    assert folded > NETS // 3


@pytest.mark.parametrize("where", ["tessera.passes.channel_ranges", "tessera.passes.fold_dead_channels"])
def test_random_networks_notice_that_the_border_is_forgotten(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Padding adds nothing to a sum, unlike a constant that is not the zero point."""

    def no_border(graph: Graph, op: Op) -> Taps:
        seen = taps(graph, op)
        return replace(seen, border=np.zeros_like(seen.border))

    monkeypatch.setattr(sys.modules[where], "taps", no_border)
    assert any(differing(net, fold_dead_channels(net), 1) for net in map(dead_net, range(NETS)))


def conv_weights(*shape: int, axis: int = 0, dead: tuple[int, ...] = (), unread: tuple[int, ...] = ()) -> Tensor:
    """Nothing is zero but the `dead` output channels and the `unread` input channels."""
    data = np.random.default_rng(0).integers(1, 128, shape)
    np.moveaxis(data, axis, 0)[list(dead)] = 0
    data[..., list(unread)] = 0
    return tensor(*shape, q=quant(scale=0.02), data=data)


def bias(*values: int) -> Tensor:
    return tensor(len(values), dtype=DType.INT32, data=values)


def separable(
    padding: a.Padding = SAME, first_bias: int = 900, dead: tuple[int, ...] = (0, 1), channels: int = 8
) -> Graph:
    """CONV_2D with dead channels, whose constant is the first bias's -> DEPTHWISE_CONV_2D 3x3 -> CONV_2D."""
    size = 5 + sum(padding[:2]) - 2
    tensors = [tensor(1, 5, 5, 2), conv_weights(channels, 1, 1, 2, dead=dead), bias(*[first_bias] * channels)]
    tensors += [tensor(1, 5, 5, channels), conv_weights(1, 3, 3, channels, axis=3), bias(*range(channels))]
    tensors += [
        tensor(1, size, size, channels),
        conv_weights(3, 1, 1, channels),
        bias(7, 8, 9),
        tensor(1, size, size, 3),
    ]
    depthwise = a.DepthwiseConv2D((1, 1), padding, WHOLE, 1)
    ops = [(conv1x1(), [0, 1, 2], [3]), (depthwise, [3, 4, 5], [6]), (conv1x1(), [6, 7, 8], [9])]
    return graph_of(tensors, ops, [0], [9])


def kept(graph: Graph) -> list[tuple[int, ...] | None]:
    return [graph.tensor(op.outputs[0]).kept for op in graph.ops]


def test_a_constant_goes_through_a_depthwise_convolution_into_a_bias() -> None:
    before = separable(padding=(0, 0, 0, 0), dead=(0, 1, 2, 3))
    after = fold_dead_channels(before)
    assert kept(after) == [(4, 5, 6, 7), (4, 5, 6, 7), None]
    assert [after.tensor(i).shape for i in after.ops[1].inputs] == [(1, 5, 5, 4), (1, 3, 3, 4), (4,)]
    assert after.tensor(after.ops[2].inputs[2]).data.tolist() != [7, 8, 9]
    assert macs(after) * 2 == macs(before)
    assert not differing(before, after)


def test_padding_that_meets_a_constant_other_than_the_zero_point_keeps_it() -> None:
    assert kept(fold_dead_channels(separable(dead=(0, 1, 2, 3)))) == [None] * 3
    before = separable(first_bias=0, dead=(0, 1, 2, 3))  # now the constant is the zero point
    after = fold_dead_channels(before)
    assert kept(after) == [(4, 5, 6, 7), (4, 5, 6, 7), None]
    assert not differing(before, after)


def test_of_an_odd_number_of_channels_one_more_stays() -> None:
    after = fold_dead_channels(separable(first_bias=0, dead=(1, 2, 4, 5, 7)))
    assert kept(after) == [(0, 1, 3, 6), (0, 1, 3, 6), None]
    none_to_keep = separable(first_bias=0, dead=(), channels=3)
    assert kept(fold_dead_channels(none_to_keep)) == [None] * 3


def test_channels_that_nobody_reads_go_with_all_that_they_need() -> None:
    tensors = [tensor(1, 5, 5, 2), conv_weights(4, 1, 1, 2), tensor(1, 5, 5, 4)]
    tensors += [conv_weights(4, 3, 3, 4, unread=(0, 1, 3)), tensor(1, 3, 3, 4)]
    tensors += [conv_weights(4, 1, 1, 4, unread=(1,)), tensor(1, 3, 3, 4)]
    ops = [(conv1x1(), [0, 1], [2]), (conv1x1(), [2, 3], [4]), (conv1x1(), [4, 5], [6])]
    before = graph_of(tensors, ops, [0], [6])
    after = fold_dead_channels(before)
    assert kept(after) == [(0, 2), None, None]  # one and three that are read, and one more
    assert not differing(before, after)


def test_a_tensor_of_which_nothing_is_read_keeps_a_pair() -> None:
    tensors = [tensor(1, 5, 5, 2), conv_weights(4, 1, 1, 2), tensor(1, 5, 5, 4)]
    tensors += [conv_weights(2, 1, 1, 4, unread=(0, 1, 2, 3)), tensor(1, 5, 5, 2)]
    before = graph_of(tensors, [(conv1x1(), [0, 1], [2]), (conv1x1(), [2, 3], [4])], [0], [4])
    after = fold_dead_channels(before)
    assert kept(after) == [(0, 1), None]
    assert not differing(before, after)


@pytest.mark.parametrize("outputs", [[3, 9], [6, 9]])
def test_outputs_stay_whole(outputs: list[int]) -> None:
    net = separable(first_bias=0)
    before = replace(net, outputs=tuple(type(net.outputs[0])(i) for i in outputs))
    after = fold_dead_channels(before)
    assert after.ops == before.ops


def test_a_layer_without_bias_gets_one() -> None:
    tensors = [tensor(1, 6), tensor(8, 6, q=quant(scale=0.02), data=np.repeat([[0], [1]], 4, axis=0) * np.ones(6))]
    tensors += [bias(*[2000] * 8), tensor(1, 8), conv_weights(4, 8), tensor(1, 4)]
    ops = [(a.FullyConnected(WHOLE), [0, 1, 2], [3]), (a.FullyConnected(WHOLE), [3, 4], [5])]
    before = graph_of(tensors, ops, [0], [5])
    after = fold_dead_channels(before)
    assert kept(after) == [(4, 5, 6, 7), None]
    assert len(after.ops[1].inputs) == 3
    assert not differing(before, after)


def test_a_layer_that_always_saturates_is_constant() -> None:
    before = separable(padding=(0, 0, 0, 0), first_bias=10**6, dead=())
    after = fold_dead_channels(before)
    assert kept(after) == [(0, 1)] * 2 + [None]  # no tensor is empty, and channels come in pairs
    assert not differing(before, after)


def test_weights_that_two_layers_share_are_cut_for_one() -> None:
    tensors = [tensor(1, 5, 5, 8), conv_weights(8, 1, 1, 8, dead=(0, 1, 2, 3)), tensor(1, 5, 5, 8), tensor(1, 5, 5, 8)]
    before = graph_of(tensors, [(conv1x1(), [0, 1], [2]), (conv1x1(), [2, 1], [3])], [0], [3])
    after = fold_dead_channels(before)
    assert [after.tensor(op.inputs[1]).shape for op in after.ops] == [(4, 1, 1, 8), (8, 1, 1, 4)]
    assert kinds(after) == ["Conv2D"] * 2
    assert not differing(before, after)


def test_folding_twice_remembers_the_channels_of_the_file() -> None:
    once = fold_dead_channels(separable(first_bias=0, dead=(0, 1, 2, 3)))
    first = once.tensor(once.ops[0].inputs[1])
    data = np.zeros_like(first.data)
    tensors = tuple(replace(t, data=data) if t is first else t for t in once.tensors)
    assert kept(fold_dead_channels(replace(once, tensors=tensors)))[0] == (4, 5)


def file_with_dead_channels(kind: type[np.generic]) -> bytes:
    """CONV_2D -> DEPTHWISE_CONV_2D -> AVERAGE_POOL_2D -> CONV_2D with dead channels; int8 with float32 edges, or uint8.

    uint8 weights are dead where they equal their zero point.
    """
    rng, byte, zero = np.random.default_rng(2), np.dtype(kind), 128 if kind is np.uint8 else 0
    scale = 0.01 if zero else np.linspace(0.004, 0.012, 12)

    def weights(shape: tuple[int, ...], axis: int, dead: slice) -> Spec:
        data = rng.integers(zero - 120, zero + 120, shape)
        np.moveaxis(data, axis, 0)[dead] = zero
        return Spec(shape, byte, scale if shape[axis] == 12 else 0.01, zero, data, axis if shape[axis] == 12 else 0)

    def ints(*values: int) -> Spec:
        return Spec((len(values),), np.int32, data=np.array(values))

    low = -128 + zero
    tensors = [Spec((1, 9, 8, 3), byte, 1 / 64, 3 + zero), weights((12, 3, 3, 3), 0, slice(2, 9))]
    tensors += [ints(*[0, 3000, *[-20] * 10]), Spec((1, 9, 8, 12), byte, 0.05, low)]
    tensors += [
        weights((1, 3, 3, 12), 3, slice(1, 2)),
        ints(*range(0, 1200, 100)),
        Spec((1, 9, 8, 12), byte, 0.05, low),
    ]
    tensors += [Spec((1, 3, 4, 12), byte, 0.05, low), weights((5, 1, 1, 12), 0, slice(0, 2)), ints(1, 200, 3, 4, 5)]
    tensors += [Spec((1, 3, 4, 5), byte, 0.1, 3 + zero), Spec((1, 9, 8, 3), np.float32), Spec((1, 3, 4, 5), np.float32)]
    conv = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1, "fusedActivationFunction": 1}
    pool = options("Pool2D", padding=0, strideH=3, strideW=2, filterHeight=3, filterWidth=3)
    ops = [
        ("CONV_2D", [0, 1, 2], [3], options("Conv2D", **conv), 3),
        ("DEPTHWISE_CONV_2D", [3, 4, 5], [6], options("DepthwiseConv2D", **conv, depthMultiplier=1), 3),
        ("AVERAGE_POOL_2D", [6], [7], pool, 2),
        ("CONV_2D", [7, 8, 9], [10], options("Conv2D", **{**conv, "fusedActivationFunction": 0}), 3),
    ]
    if zero:
        return model_of(tensors[:11], ops, [0], [10])
    edges = [("QUANTIZE", [11], [0], options("Quantize"), 1), *ops]
    return model_of(tensors, [*edges, ("DEQUANTIZE", [10], [12], options("Dequantize"), 2)], [11], [12])


@pytest.mark.parametrize("passes", [PASSES, EDGES_FLOAT_PASSES], ids=["edges int8", "edges float"])
@pytest.mark.parametrize("kind", [np.int8, np.uint8])
def test_files_equal_litert_in_the_channels_that_are_left(
    kind: type[np.generic], passes: tuple[Pass, ...], oracle
) -> None:
    content = file_with_dead_channels(kind)
    loaded = load_tflite(content)
    passed = run_passes(loaded, passes)
    maps = [passed.tensor(op.outputs[0]) for op in passed.ops if isinstance(op.attrs, a.DepthwiseConv2D | a.AvgPool2D)]
    assert [t.shape[3] for t in maps] == [4, 4]
    for inputs in test_inputs(passed, 4, 5):
        theirs = expected_tensors(passed, oracle(content).run(litert_inputs(loaded, passed, inputs)))
        assert {i for op in passed.ops for i in op.outputs if passed.tensor(i).source is not None} <= theirs.keys()
        assert not differences(passed, run(passed, inputs), theirs)


def test_the_report_says_what_went(tmp_path: Path) -> None:
    path = tmp_path / "dead.tflite"
    path.write_bytes(file_with_dead_channels(np.int8))
    compiled = compile_model(find_model(str(path)), None, time_limit_s=1)
    folded = inspect_report(compiled)["folded"]
    assert folded["channels"] == 3 * (12 - 4)
    assert folded["macs_in_file"] == 9 * 8 * 12 * (27 + 9) + 12 * 12 * 5
    assert folded["macs"] == macs(compiled.passed) == 9 * 8 * 4 * (27 + 9) + 12 * 4 * 5
    sentence = folding_sentence(folded, "folded ")
    assert sentence.startswith(
        "folded 24 channels that are constant or that nobody reads: MACs 31,824 -> 10,608, weights"
    )
    assert folding_sentence({**folded, "channels": 0}, "folded ") == ""
