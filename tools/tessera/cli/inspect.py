"""`inspect`: what is in a model, before and after the passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from tessera.cli.command import console, kilo, write_json
from tessera.ir.graph import Graph, Op, Tensor, TensorId
from tessera.models import find_model
from tessera.pipeline import Compiled, compile_model
from tessera.schedule.cost import macs, op_macs


def inspect_model(model: str, json_path: str) -> None:
    compiled = compile_model(find_model(model), None, time_limit_s=1.0)
    report = inspect_report(compiled)
    _show(report)
    write_json(json_path, report)


def inspect_report(compiled: Compiled) -> dict[str, Any]:
    graph = compiled.graph
    return {
        "model": compiled.model.name,
        "source_sha256": compiled.loaded.source_sha256,
        "file_bytes": len(compiled.content),
        "inputs": [_edge(graph.tensor(i)) for i in graph.inputs],
        "outputs": [_edge(graph.tensor(i)) for i in graph.outputs],
        "operators_in_file": dict(Counter(kind(op) for op in compiled.loaded.ops)),
        "operators": [_operator(graph, op) for op in graph.ops],
        "macs": macs(graph),
        "weights_bytes": weights_bytes(graph),
        "largest_layer_bytes": max((_layer_bytes(graph, op) for op in graph.ops), default=0),
        "arena_bytes": compiled.plan.arena_bytes,
        "lower_bound_bytes": compiled.plan.lower_bound_bytes,
        "folded": folding_report(compiled),
    }


def folding_report(compiled: Compiled) -> dict[str, Any]:
    """Channels of the file's tensors that no operator computes any more; what the file costs, and what is left."""
    loaded, passed = compiled.loaded, compiled.passed
    computed = [passed.tensor(i) for op in passed.ops for i in op.outputs]
    return {
        "channels": sum(
            loaded.tensors[t.source].shape[-1] - len(t.kept)
            for t in computed
            if t.kept is not None and t.source is not None
        ),
        "macs_in_file": macs(loaded),
        "macs": macs(passed),
        "weights_bytes_in_file": weights_bytes(loaded),
        "weights_bytes": weights_bytes(passed),
    }


def folding_sentence(folded: dict[str, Any], label: str) -> str:
    """A line of its own, or nothing where all channels are there."""
    if not folded["channels"]:
        return ""
    return (
        f"{label}{folded['channels']:,} channels that are constant or that nobody reads: MACs "
        f"{folded['macs_in_file']:,} -> {folded['macs']:,}, weights {folded['weights_bytes_in_file']:,} -> "
        f"{folded['weights_bytes']:,} B\n"
    )


def kind(op: Op) -> str:
    """The operator's name for people: a table says which function it holds."""
    return getattr(op.attrs, "origin", type(op.attrs).__name__)


def constants(graph: Graph) -> dict[TensorId, Tensor]:
    """The constant operands that the operators read."""
    return {i: graph.tensor(i) for op in graph.ops for i in op.inputs if graph.tensor(i).is_constant}


def weights_bytes(graph: Graph) -> int:
    return sum(t.nbytes for t in constants(graph).values())


def _maps(graph: Graph, ids: Sequence[TensorId]) -> list[Tensor]:
    return [graph.tensor(i) for i in dict.fromkeys(ids) if not graph.tensor(i).is_constant]


def _layer_bytes(graph: Graph, op: Op) -> int:
    """Inputs and outputs together: what a layer needs when nothing is shared."""
    return sum(t.nbytes for t in [*_maps(graph, op.inputs), *_maps(graph, op.outputs)])


def _edge(tensor: Tensor) -> dict[str, Any]:
    quant = tensor.quant
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype.value,
        "scale": float(quant.scale) if quant else None,
        "zero_point": quant.zero_point if quant else None,
    }


def _operator(graph: Graph, op: Op) -> dict[str, Any]:
    weights = [graph.tensor(i) for i in op.inputs if graph.tensor(i).is_constant]
    return {
        "name": op.name,
        "kind": kind(op),
        "inputs": [list(t.shape) for t in _maps(graph, op.inputs)],
        "outputs": [list(t.shape) for t in _maps(graph, op.outputs)],
        "macs": op_macs(graph, op),
        "weights_bytes": sum(t.nbytes for t in weights),
        "per_channel": any(t.quant is not None and len(t.quant.scales) > 1 for t in weights),
        "layer_bytes": _layer_bytes(graph, op),
    }


def _show(report: dict[str, Any]) -> None:
    table = Table(title=f"{report['model']}: {len(report['operators'])} operators", title_justify="left")
    for name, justify in (("#", "right"), ("operator", "left"), ("name", "left"), ("in", "left"), ("out", "left")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for name in ("MACs", "weights B", "in + out B"):
        table.add_column(name, justify="right")
    for i, op in enumerate(report["operators"]):
        shapes = [" ".join("x".join(map(str, s)) for s in op[key]) for key in ("inputs", "outputs")]
        per_channel = " per channel" if op["per_channel"] else ""
        numbers = (f"{op['macs']:,}", f"{op['weights_bytes']:,}", f"{op['layer_bytes']:,}")
        table.add_row(str(i), op["kind"] + per_channel, op["name"], *shapes, *numbers)
    console.print(table)
    for key in ("inputs", "outputs"):
        for edge in report[key]:
            shape = "x".join(map(str, edge["shape"]))
            quant = "" if edge["scale"] is None else f", real = {edge['scale']:.8g} * (q - {edge['zero_point']})"
            console.print(f"{key[:-1]:7}{edge['name']}: {shape} {edge['dtype']}{quant}", highlight=False)
    console.print(
        f"{folding_sentence(report['folded'], 'folded ')}"
        f"MACs   {kilo(report['macs'])}\n"
        f"flash  weights {report['weights_bytes']:,} B in a file of {report['file_bytes']:,} B\n"
        f"memory largest layer {report['largest_layer_bytes']:,} B (in + out, nothing shared); "
        f"planned arena {report['arena_bytes']:,} B, lower bound {report['lower_bound_bytes']:,} B",
        highlight=False,
    )
