"""Picks the C kernel of every step: the portable one, or one of the board's instruction set that can take its place.

Of a streamed operator it is the one that computes spans of rows."""

from __future__ import annotations

from dataclasses import replace

from tessera.ir.attrs import (
    Add,
    AvgPool2D,
    Concatenation,
    Conv2D,
    DepthwiseConv2D,
    Dequantize,
    FullyConnected,
    Lookup,
    MaxPool2D,
    Mean,
    MeanOfMeans,
    Mul,
    Pack,
    Pad,
    PRelu,
    Quantize,
    ResizeBilinear,
    ResizeNearest,
    Softmax,
    Split,
    StridedSlice,
    Sub,
    Transpose,
)
from tessera.ir.graph import Graph, Op
from tessera.kernels import conv2d, copy, elementwise, fully_connected, mean, pointwise, pool2d, resize, softmax
from tessera.kernels.call import KernelCall, SpanKernel, Step
from tessera.kernels.dsp.lower import lower, lower_span
from tessera.kernels.isa import KernelSet
from tessera.kernels.limits import check_limits
from tessera.kernels.scratch import scratch_bytes
from tessera.kernels.spans import bind_span
from tessera.schedule.check import computed_pixels, map_plan
from tessera.schedule.cost import op_macs
from tessera.schedule.schedule import Schedule, Stage


def select_kernels(graph: Graph, schedule: Schedule) -> tuple[Step, ...]:
    """The kernel of each step, in the order of the schedule. A step completes one tensor."""
    steps: list[Step] = []
    for stage in schedule.stages:
        for op in (graph.ops[i] for i in stage.ops):
            calls, mine = bind(graph, op), list[Step]()
            if stage.is_layer:
                mine += [lower(graph, op, call, schedule.kernels) for call in calls]
            else:
                mine.append(_streamed(graph, stage, op, calls[0], schedule.kernels))
            most = scratch_bytes(graph, op, schedule.kernels, streamed=not stage.is_layer)
            assert all(step.scratch_bytes <= most for step in mine), f"{op.name} takes more scratch than was planned"
            steps += mine
    return tuple(steps)


def _streamed(graph: Graph, stage: Stage, op: Op, layer: KernelCall, kernels: KernelSet) -> SpanKernel:
    plan = map_plan(stage, layer.output)
    kernel = lower_span(graph, op, bind_span(graph, op, layer), kernels, plan.cols.size)
    if not layer.macs:
        return kernel
    _, height, width, _ = graph.tensor(kernel.output).shape
    pixels = computed_pixels(stage, plan, height, width)
    return replace(kernel, macs=layer.macs * pixels // (height * width))


def bind(graph: Graph, op: Op) -> tuple[KernelCall, ...]:
    check_limits(graph, op)
    steps = _bind(graph, op)
    return tuple(replace(step, macs=op_macs(graph, op)) for step in steps)


def _bind(graph: Graph, op: Op) -> tuple[KernelCall, ...]:
    match op.attrs:
        case Conv2D() as a:
            return (conv2d.bind_conv2d(graph, op, a),)
        case DepthwiseConv2D() as a:
            return (conv2d.bind_depthwise_conv2d(graph, op, a),)
        case FullyConnected() as a:
            return (fully_connected.bind_fully_connected(graph, op, a),)
        case Add() | Sub() as a:
            return (elementwise.bind_add(graph, op, a),)
        case Mul() as a:
            return (elementwise.bind_mul(graph, op, a),)
        case PRelu():
            return (elementwise.bind_prelu(graph, op),)
        case AvgPool2D() | MaxPool2D() as a:
            return (pool2d.bind_pool2d(graph, op, a),)
        case Mean() as a:
            return (mean.bind_mean(graph, op, a),)
        case MeanOfMeans() as a:
            return (mean.bind_mean_of_means(graph, op, a),)
        case Softmax() as a:
            return (softmax.bind_softmax(graph, op, a),)
        case Lookup() as a:
            return (pointwise.bind_lookup(graph, op, a),)
        case Quantize():
            return (pointwise.bind_quantize(graph, op),)
        case Dequantize():
            return (pointwise.bind_dequantize(graph, op),)
        case Pad() as a:
            return (copy.bind_pad(graph, op, a),)
        case Transpose() as a:
            return (copy.bind_transpose(graph, op, a),)
        case StridedSlice() as a:
            return (copy.bind_strided_slice(graph, op, a),)
        case Concatenation() as a:
            return (copy.bind_concatenation(graph, op, a.axis),)
        case Pack() as a:
            return (copy.bind_pack(graph, op, a.axis),)
        case Split() as a:
            return copy.bind_split(graph, op, a.axis)
        case ResizeNearest() as a:
            return (resize.bind_resize_nearest(graph, op, a),)
        case ResizeBilinear() as a:
            return (resize.bind_resize_bilinear(graph, op, a),)
        case _:
            raise AssertionError(f"{op.name}: a view has no kernel")
