"""Rewrites of a graph that keep every byte. A pass is one function in one file; after each the graph is verified."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tessera.ir.graph import Graph
from tessera.ir.verify import verify_graph
from tessera.passes.depthwise_of_one_channel import depthwise_of_one_channel
from tessera.passes.drop_identities import drop_identities
from tessera.passes.fold_constants import fold_constants
from tessera.passes.fold_dead_channels import fold_dead_channels
from tessera.passes.fold_pad import fold_pad
from tessera.passes.fuse_activation import fuse_activation
from tessera.passes.fuse_lookups import fuse_lookups
from tessera.passes.fuse_means import fuse_means
from tessera.passes.remove_dead import remove_dead
from tessera.passes.strip_edges import strip_edges
from tessera.passes.uint8_to_int8 import uint8_to_int8

Pass = Callable[[Graph], Graph]

EDGES_FLOAT_PASSES: tuple[Pass, ...] = (
    uint8_to_int8,
    fold_constants,
    drop_identities,
    fuse_activation,
    fuse_lookups,
    fuse_means,
    fold_pad,
    depthwise_of_one_channel,
    fold_dead_channels,
    remove_dead,
)
"""For firmware that takes and gives what the file says."""

PASSES: tuple[Pass, ...] = (strip_edges, *EDGES_FLOAT_PASSES)
"""For firmware that takes and gives 8-bit tensors."""


def run_passes(graph: Graph, passes: Iterable[Pass]) -> Graph:
    for function in passes:
        graph = function(graph)
        verify_graph(graph)
    return graph


__all__ = ["EDGES_FLOAT_PASSES", "PASSES", "Pass", "run_passes"]
