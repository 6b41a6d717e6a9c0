"""Intervals hold what the interpreter computes."""

from __future__ import annotations

import numpy as np
from dead_nets import dead_net

from tessera.interpreter import run
from tessera.ir.graph import TensorId
from tessera.passes.channel_ranges import channel_ranges


def test_every_element_is_in_the_range_of_its_channel() -> None:
    constants = 0
    for seed in range(150):
        graph = dead_net(seed)
        ranges = channel_ranges(graph)
        assert {i for op in graph.ops for i in op.outputs} <= ranges.keys()
        constants += sum(int(r.constant.sum()) for i, r in ranges.items() if not graph.tensor(i).is_constant)
        rng = np.random.default_rng(seed)
        shape = graph.tensor(graph.inputs[0]).shape
        for image in (rng.integers(-128, 128, shape), np.full(shape, -128), np.full(shape, 127)):
            for i, value in enumerate(run(graph, [image.astype(np.int8)])):
                r = ranges.get(TensorId(i))
                if r is not None:
                    assert value is not None
                    assert np.all((r.low <= value) & (value <= r.high)), (seed, graph.tensors[i].name)
    assert constants > 1000
