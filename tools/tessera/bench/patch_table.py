"""MCUNetV2's table of inference by patches: the paper's rows, and what our analysis says of the same networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tessera.bench.peers import MCUNETV2_TABLE_1, PatchTable
from tessera.ir.graph import Graph
from tessera.nets.mobilenetv2 import NETS, build_graph
from tessera.schedule.patches import PatchCost, Patches, analytic_bytes, find_cuts, make_patches, patch_cost


@dataclass(frozen=True, slots=True, eq=False)
class PatchRow:
    name: str
    graph: Graph
    paper: PatchTable
    patches: Patches
    cost: PatchCost
    layerwise_bytes: int


def patch_table() -> Iterator[PatchRow]:
    for name, paper in MCUNETV2_TABLE_1.items():
        graph = build_graph(NETS[name])
        cut = next(c for c in find_cuts(graph) if len(c.ops) == paper.layers)
        patches = make_patches(graph, cut, paper.patches)
        layerwise = max(analytic_bytes(graph, range(len(graph.ops))))
        yield PatchRow(name, graph, paper, patches, patch_cost(graph, patches), layerwise)
