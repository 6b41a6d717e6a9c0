"""`patches`: MCUNetV2's inference by patches, computed for any model, and its table for MobileNetV2."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from tessera.bench.patch_table import patch_table
from tessera.cli.command import console, kilo, write_file, write_json
from tessera.errors import BadInput, UnsupportedModel
from tessera.frontend.tflite import load_tflite
from tessera.ir.graph import Graph
from tessera.memory.planner import plan_memory
from tessera.models import find_model
from tessera.nets.mobilenetv2 import NETS, build_graph
from tessera.passes import PASSES, run_passes
from tessera.report.halo_svg import halo_svg
from tessera.schedule.patches import (
    PatchCost,
    analytic_bytes,
    best_patches,
    enumerate_patches,
    find_cuts,
    make_patches,
    patch_schedule,
)

MOST_PATCHES = 8  # along an axis, when searched
PLAN_LIMIT_S = 2.0


def show_patches(model: str, patches: int, layers: int, svg: str, json_path: str) -> None:
    if patches < 0 or layers < 0:
        raise BadInput(f"--patches {patches} --layers {layers}: must not be negative; 0 tries all")
    report = _one_model(model, patches, layers, svg) if model else _papers_table(svg)
    write_json(json_path, report)


def _one_model(model: str, count: int, layers: int, svg: str) -> dict[str, Any]:
    graph = _graph(model)
    cuts = {len(c.ops): c for c in reversed(find_cuts(graph))}
    if layers and layers not in cuts:
        lengths = ", ".join(map(str, sorted(cuts)))
        raise BadInput(f"--layers {layers}: patches of {graph.name} can end after {lengths} operators")
    costs = enumerate_patches(graph, [count] if count else range(2, MOST_PATCHES + 1))
    costs = tuple(c for c in costs if layers in (0, c.layers))
    best = best_patches(costs)
    # of a search over both, one line for each p: its best place to end
    shown = (
        costs if count or layers else tuple(best_patches([c for c in costs if c.count == p]) for p in _counts(costs))
    )
    layerwise = max(analytic_bytes(graph, range(len(graph.ops))))
    patches = make_patches(graph, cuts[best.layers], best.count)
    schedule = patch_schedule(graph, patches)
    placed = None if schedule is None else plan_memory(schedule, time_limit_s=PLAN_LIMIT_S).arena_bytes
    _show(graph, shown, best, layerwise, placed)
    if svg:
        write_file(Path(svg), halo_svg(graph, patches, _title(graph, best)))
        console.print(f"what one patch needs: {svg}", highlight=False)
    return {
        "model": graph.name,
        "layerwise_bytes": layerwise,
        "best": {**_row(best), "arena_bytes": placed},
        "choices": [_row(c) for c in shown],
    }


def _counts(costs: tuple[PatchCost, ...]) -> list[int]:
    return sorted({c.count for c in costs})


def _graph(model: str) -> Graph:
    if model in NETS:
        return build_graph(NETS[model])
    found = find_model(model)
    graph = run_passes(load_tflite(found.read(), name=found.name), PASSES)
    if not find_cuts(graph):
        raise UnsupportedModel(f"{found.name}: its first operators do not run by patches; ./inv inspect lists them")
    return graph


def _papers_table(svg: str) -> dict[str, Any]:
    """Table 1 of the paper, and what our analysis says of the same networks."""
    table = Table(title="MCUNetV2, table 1: 224 x 224, 4 x 4 patches, int8; bytes in KiB", title_justify="left")
    for name in ("network", "patch", "patch stage", "model", "layer by layer", "by patches"):
        table.add_column(name, justify="left" if name == "network" else "right")
    rows: dict[str, Any] = {}
    for row in patch_table():
        name, paper, cost, layerwise = row.name, row.paper, row.cost, row.layerwise_bytes
        if svg:
            path = Path(svg)
            write_file(path.with_stem(f"{path.stem}_{name}"), halo_svg(row.graph, row.patches, _title(row.graph, cost)))
        table.add_row(
            f"{name}, paper",
            f"{paper.patch}x{paper.patch}",
            f"{kilo(paper.patch_macs)} ({_percent(paper.patch_factor)})",
            f"{kilo(paper.model_macs)} ({_percent(paper.model_factor)})",
            f"{paper.layerwise_kib}",
            f"{paper.patched_kib}",
        )
        table.add_row(
            f"{name}, computed",
            f"{cost.patch[0]}x{cost.patch[1]}",
            f"{kilo(cost.whole_patch_macs)} ({_percent(cost.stage_factor)})",
            f"{kilo(cost.model_macs)} ({_percent(cost.model_factor)})",
            f"{layerwise / 1024:g}",
            f"{cost.peak_bytes / 1024:g}",
            end_section=True,
        )
        rows[name] = {"paper": asdict(paper), "computed": {**_row(cost), "layerwise_bytes": layerwise}}
    console.print(table)
    console.print(
        "The paper's figure of the patch stage is that of patches which are all as large as one in the middle; its "
        "figure of the model is that of patches cut at the borders, as they run.",
        highlight=False,
    )
    return rows


def _show(graph: Graph, shown: tuple[PatchCost, ...], best: PatchCost, layerwise: int, placed: int | None) -> None:
    table = Table(title=f"{graph.name} by patches; layer by layer {layerwise:,} B", title_justify="left")
    for name in ("p", "operators", "patch", "stage", "model", "stage B", "others B", "peak B", ""):
        table.add_column(name, justify="left" if name == "" else "right")
    for c in shown:
        table.add_row(
            str(c.count),
            str(c.layers),
            f"{c.patch[0]}x{c.patch[1]}",
            _percent(c.patch_macs / max(c.stage_macs, 1)),
            _percent(c.model_factor),
            *(f"{n:,}" for n in (c.stage_bytes, c.other_bytes, c.peak_bytes)),
            "best" if c is best else "",
        )
    console.print(table)
    arena = (
        "" if placed is None else f"\narena   {placed:,} B as our planner places it, the patch of the image inside it"
    )
    console.print(
        f"best    {best.count}x{best.count} patches of {best.layers} operators\n"
        f"last    {best.output}\n"
        f"MACs    of the stage {kilo(best.stage_macs)} once, {kilo(best.patch_macs)} by patches; "
        f"of the model {kilo(best.model_macs)}\n"
        f"patches {best.stage_bytes:,} B with the image elsewhere, {best.image_patch_bytes:,} B with its patch, "
        f"{best.frame_bytes:,} B with all of it{arena}\n"
        "Bytes by the paper's rule: input and output of an operator and what waits for others, nothing else shared.",
        highlight=False,
    )


def _row(cost: PatchCost) -> dict[str, Any]:
    return {
        **asdict(cost),
        "stage_factor": cost.stage_factor,
        "model_macs": cost.model_macs,
        "model_factor": cost.model_factor,
        "peak_bytes": cost.peak_bytes,
    }


def _title(graph: Graph, cost: PatchCost) -> str:
    return f"{graph.name}: what one of {cost.count} x {cost.count} patches needs"


def _percent(factor: float) -> str:
    return f"+{100 * (factor - 1):.1f} %"
