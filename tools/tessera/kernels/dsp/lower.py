"""Armv7E-M kernels in place of the portable ones, where what they need holds."""

from __future__ import annotations

from tessera.ir.attrs import (
    Add,
    AvgPool2D,
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    Lookup,
    MaxPool2D,
    Mean,
    MeanOfMeans,
    Mul,
    Sub,
)
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import KernelCall, SpanKernel
from tessera.kernels.dsp.conv2d import lower_conv2d, lower_conv2d_span
from tessera.kernels.dsp.depthwise import lower_depthwise_conv2d, lower_depthwise_conv2d_span
from tessera.kernels.dsp.elementwise import lower_elementwise, lower_elementwise_span
from tessera.kernels.dsp.fully_connected import lower_fully_connected
from tessera.kernels.dsp.lookup import lower_lookup, lower_lookup_span
from tessera.kernels.dsp.mean import lower_mean, lower_mean_of_means, lower_mean_span
from tessera.kernels.dsp.pool2d import lower_pool2d, lower_pool2d_span
from tessera.kernels.isa import Isa, KernelSet


def lower(graph: Graph, op: Op, call: KernelCall, kernels: KernelSet) -> KernelCall:
    """The kernel that runs the operator as a layer; `call` is the portable one."""
    if kernels.isa is not Isa.ARMV7E_M:
        return call
    match op.attrs:
        case Conv2D():
            return lower_conv2d(graph, op, call, kernels.fast)
        case DepthwiseConv2D():
            return lower_depthwise_conv2d(graph, op, call, kernels.fast)
        case Lookup():
            return lower_lookup(op, call)
        case Add() | Sub() | Mul():
            return lower_elementwise(graph, op, call)
        case FullyConnected():
            return lower_fully_connected(graph, op, call, kernels.fast)
        case Mean():
            return lower_mean(graph, op, call)
        case MeanOfMeans():
            return lower_mean_of_means(graph, op, call)
        case AvgPool2D() | MaxPool2D():
            return lower_pool2d(graph, op, call)
        case _:
            return call


def lower_span(graph: Graph, op: Op, kernel: SpanKernel, kernels: KernelSet, columns: int) -> SpanKernel:
    """The kernel that computes its spans of `columns` inside a stage; `kernel` is the portable one."""
    if kernels.isa is not Isa.ARMV7E_M:
        return kernel
    match op.attrs:
        case Conv2D():
            return lower_conv2d_span(graph, op, kernel, kernels.fast)
        case DepthwiseConv2D():
            return lower_depthwise_conv2d_span(graph, op, kernel, kernels.fast, columns)
        case Lookup():
            return lower_lookup_span(graph, op, kernel)
        case Add() | Sub() | Mul():
            return lower_elementwise_span(graph, op, kernel)
        case Mean() | MeanOfMeans():
            return lower_mean_span(kernel)
        case AvgPool2D() | MaxPool2D():
            return lower_pool2d_span(graph, op, kernel)
        case _:
            return kernel
