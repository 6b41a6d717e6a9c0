"""Small models whose generated C is kept as golden text: layer by layer, and as a streamed stage in two memories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from single_op import Spec, model_of, options
from tessera.codegen.generate import Sources, generate_c
from tessera.frontend.tflite import load_tflite
from tessera.ir.graph import Graph
from tessera.memory.align import ARENA_ALIGNMENT, align_up
from tessera.memory.plan import Memory, MemoryPlan, Place, Role
from tessera.memory.planner import plan_memory
from tessera.passes import PASSES, run_passes
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.schedule import InputMode, MapPlan, Schedule, Stage, Sweep
from tessera.schedule.verify import verify_schedule

_CONV = {"strideH": 1, "strideW": 1, "padding": 0, "fusedActivationFunction": 1}


def edge() -> bytes:
    """One 3x3 convolution on a 4x4 image."""
    weights = np.array([1, 2, 1, 2, 4, 2, 1, 2, 1, -1, 0, 1, -2, 0, 2, -1, 0, 1]).reshape(2, 3, 3, 1)
    tensors = [
        Spec((1, 4, 4, 1), np.int8, 0.5, -1),
        Spec(weights.shape, np.int8, [0.25, 0.125], 0, weights),
        Spec((2,), np.int32, [0.125, 0.0625], 0, np.array([0, 5])),
        Spec((1, 4, 4, 2), np.int8, 0.25, -128),
    ]
    return model_of(tensors, [("CONV_2D", [0, 1, 2], [3], options("Conv2D", **_CONV), 3)], [0], [3])


def residual() -> bytes:
    """A depthwise convolution, a 1x1 convolution and the sum of it with the input."""
    rng = np.random.default_rng(5)
    tensors = [
        Spec((1, 5, 3, 4), np.int8, 0.05, 3),
        Spec((1, 3, 3, 4), np.int8, 0.02, 0, rng.integers(-127, 128, (1, 3, 3, 4)), 3),
        Spec((4,), np.int32, 0.001, 0, rng.integers(-900, 900, 4)),
        Spec((1, 5, 3, 4), np.int8, 0.1, -128),
        Spec((4, 1, 1, 4), np.int8, 0.03, 0, rng.integers(-127, 128, (4, 1, 1, 4))),
        Spec((4,), np.int32, 0.003, 0, rng.integers(-900, 900, 4)),
        Spec((1, 5, 3, 4), np.int8, 0.2, 7),
        Spec((1, 5, 3, 4), np.int8, 0.25, 0),
    ]
    ops = [
        ("DEPTHWISE_CONV_2D", [0, 1, 2], [3], options("DepthwiseConv2D", depthMultiplier=1, **_CONV), 3),
        ("CONV_2D", [3, 4, 5], [6], options("Conv2D", **_CONV), 3),
        ("ADD", [0, 6], [7], options("Add", fusedActivationFunction=0), 2),
    ]
    return model_of(tensors, ops, [0], [7])


def head() -> bytes:
    """A mean, a fully connected layer and its softmax; the logits are a second output."""
    rng = np.random.default_rng(6)
    tensors = [
        Spec((1, 3, 3, 6), np.int8, 0.05, -128),
        Spec((2,), np.int32, data=np.array([1, 2])),
        Spec((1, 6), np.int8, 0.04, -128),
        Spec((4, 6), np.int8, 0.02, 0, rng.integers(-127, 128, (4, 6))),
        Spec((4,), np.int32, 0.0008, 0, rng.integers(-900, 900, 4)),
        Spec((1, 4), np.int8, 0.05, 11),
        Spec((1, 4), np.int8, 1 / 256, -128),
    ]
    ops = [
        ("MEAN", [0, 1], [2], options("Reducer", keepDims=False), 2),
        ("FULLY_CONNECTED", [2, 3, 4], [5], options("FullyConnected", fusedActivationFunction=0), 4),
        ("SOFTMAX", [5], [6], options("Softmax", beta=1.0), 2),
    ]
    return model_of(tensors, ops, [0], [6, 5])


SMALL_MODELS = {"edge": edge, "residual": residual, "head": head, "rows": residual}


def generate(name: str) -> Sources:
    graph = run_passes(load_tflite(SMALL_MODELS[name](), name=name), PASSES)
    schedule = rows(graph) if name == "rows" else make_schedule(graph)
    plan = plan_memory(schedule)
    return generate_c(graph, schedule, in_two_memories(plan) if name == "rows" else plan, "qemu-m4")


def rows(graph: Graph) -> Schedule:
    """`residual` a row at a tick, whose columns come one by one; the input is pulled into a ring of three rows."""
    x, d, p, y = graph.inputs[0], *(op.outputs[0] for op in graph.ops)
    row, column = Sweep(1, 0, 1, -1, 1), Sweep(1, 0, 1, 0, 1)
    maps = (
        MapPlan(x, Sweep(1, 0, 1, 0, 1), Sweep(3, 0, 3, 0, 3), 3),
        MapPlan(d, row, column, 0, windowed=True),
        MapPlan(p, row, column, 0, windowed=True),
        MapPlan(y, row, column, 5),
    )
    schedule = Schedule(graph, (Stage((0, 1, 2), maps, 6, 3),), InputMode.STREAMED)
    verify_schedule(schedule)
    return schedule


def in_two_memories(plan: MemoryPlan) -> MemoryPlan:
    """The same plan with the windows in a memory of their own."""
    places, end = [], 0
    for buffer, place in zip(plan.buffers, plan.places, strict=True):
        apart = buffer.role is Role.WINDOW
        places.append(Place(1, end) if apart else place)
        end += align_up(buffer.nbytes) if apart else 0
    memories = (Memory("SRAM", plan.arena_bytes), Memory("DTCM", align_up(end, ARENA_ALIGNMENT)))
    return replace(plan, places=tuple(places), overlaps=(), memories=memories, optimal=False)
