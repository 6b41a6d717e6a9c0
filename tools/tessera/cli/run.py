"""`run`: one inference on a board or its simulator."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from rich.table import Table

from tessera.board import Board, load_board
from tessera.cli.build import firmware, firmware_report
from tessera.cli.choices import Choices, compile_for
from tessera.cli.command import console, kilo, write_json
from tessera.cli.memory import input_sentence, macs_sentence, memory_report, sram_sentence
from tessera.device import RunResult, open_device
from tessera.errors import BadInput
from tessera.firmware.build import Firmware
from tessera.ir.graph import DType, Graph, Tensor
from tessera.models import find_model
from tessera.oracle.inputs import test_inputs
from tessera.pipeline import Compiled

Arrays = list[NDArray[Any]]


def run_model(
    model: str, board_name: str, choices: Choices, image: str, seed: int, port: str, outputs_path: str, json_path: str
) -> None:
    board = load_board(board_name)
    compiled = compile_for(find_model(model), board, choices)
    inputs = read_inputs(compiled.graph, image) if image else test_inputs(compiled.graph, 1, seed)[0]
    report, result, outputs = run_once(compiled, board, inputs, port)
    _show(compiled, report, result)
    if outputs_path:
        _save(compiled.graph, outputs, Path(outputs_path))
    write_json(json_path, report)


def run_once(compiled: Compiled, board: Board, inputs: Arrays, port: str) -> tuple[dict[str, Any], RunResult, Arrays]:
    """Builds, loads and runs; the report, the device's own words, and the outputs."""
    image = firmware(compiled, board, simulated=not port)
    with open_device(board, elf=image.elf, port=port or None) as device:
        for i, array in enumerate(inputs):
            device.load_input(i, array.tobytes())
        result = device.run(crcs=True)
        outputs = as_arrays(compiled.graph, device.outputs())
    return run_report(compiled, board, image, result, outputs), result, outputs


def as_arrays(graph: Graph, chunks: Sequence[bytes]) -> Arrays:
    """The device's output bytes in the shape and type of the model's outputs."""
    tensors = [graph.tensor(i) for i in graph.outputs]
    return [np.frombuffer(c, t.dtype.numpy).reshape(t.shape) for c, t in zip(chunks, tensors, strict=True)]


def read_inputs(graph: Graph, text: str) -> Arrays:
    """One array or one picture, checked against the model's only input."""
    if len(graph.inputs) != 1:
        raise BadInput(f"--image {text}: the model has {len(graph.inputs)} inputs, a file can give one only")
    tensor, path = graph.tensor(graph.inputs[0]), Path(text)
    if not path.is_file():
        raise BadInput(f"--image {text}: no such file")
    return [_array(tensor, path) if path.suffix == ".npy" else _picture(tensor, path)]


def _array(tensor: Tensor, path: Path) -> NDArray[Any]:
    try:
        array = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except (ValueError, OSError, EOFError):
        raise BadInput(f"--image {path}: not a NumPy .npy file") from None
    wanted = tensor.dtype.numpy
    if array.dtype != wanted or array.size != tensor.size:
        raise BadInput(
            f"--image {path}: is {array.dtype} {list(array.shape)}, the model takes {wanted} {list(tensor.shape)}"
        )
    return np.ascontiguousarray(array.reshape(tensor.shape))


def _picture(tensor: Tensor, path: Path) -> NDArray[Any]:
    """Stretched to the input's size; a pixel of 0..255 becomes the full range of the input's type (float: 0..1)."""
    if len(tensor.shape) != 4 or tensor.shape[3] not in (1, 3):
        raise BadInput(
            f"--image {path}: a picture needs an input of [1, H, W, 1 or 3], the model takes {list(tensor.shape)}"
        )
    try:
        with Image.open(path) as opened:
            mode = "RGB" if tensor.shape[3] == 3 else "L"
            image = opened.convert(mode).resize((tensor.shape[2], tensor.shape[1]), Image.Resampling.BILINEAR)
    except (UnidentifiedImageError, OSError):
        raise BadInput(f"--image {path}: not a readable picture; give a PNG, JPEG or BMP, or a .npy array") from None
    pixels = np.asarray(image, np.uint8).reshape(tensor.shape)
    if tensor.dtype is DType.FLOAT32:
        return (pixels / np.float32(255)).astype(np.float32)
    return pixels if tensor.dtype is DType.UINT8 else (pixels ^ 0x80).view(np.int8)


def run_report(compiled: Compiled, board: Board, image: Firmware, result: RunResult, outputs: Arrays) -> dict[str, Any]:
    graph = compiled.graph
    return {
        **memory_report(compiled, board),
        **firmware_report(compiled, board, image),
        result.unit: result.count,
        "stack_bytes": result.stack_bytes,
        "outputs": [
            {
                "name": graph.tensor(i).name,
                "shape": list(a.shape),
                "dtype": str(a.dtype),
                "values": a.ravel()[:16].tolist(),
            }
            for i, a in zip(graph.outputs, outputs, strict=True)
        ],
        "steps": [
            {
                "kernel": k.symbol,
                "output": graph.tensor(k.output).name,
                "macs": k.macs,
                result.unit: s.count,
                "crc32": s.crc,
            }
            for k, s in zip(compiled.kernels, result.steps, strict=True)
        ],
    }


def _save(graph: Graph, outputs: Arrays, path: Path) -> None:
    names = [graph.tensor(i).name for i in graph.outputs]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.savez(file, **dict(zip(names, outputs, strict=True)))  # type: ignore[arg-type]
    except OSError as error:
        raise BadInput(f"--outputs {path}: cannot be written: {error.strerror}") from None


def _show(compiled: Compiled, report: dict[str, Any], result: RunResult) -> None:
    table = Table(title=f"{report['model']} on {report['board']}", title_justify="left")
    for name in ("step", "operator", "name", result.unit, "share", "MACs", "per MAC"):
        table.add_column(name, justify="left" if name in ("operator", "name") else "right", overflow="fold")
    for i, (call, step) in enumerate(zip(compiled.kernels, report["steps"], strict=True)):
        count = step[result.unit]
        per_mac = f"{count / call.macs:.2f}" if call.macs else ""
        share = f"{100 * count / max(result.count, 1):.1f} %"
        table.add_row(str(i), call.kind, call.op, f"{count:,}", share, f"{call.macs:,}", per_mac)
    console.print(table)
    for out in report["outputs"]:
        more = " ..." if np.prod(out["shape"]) > len(out["values"]) else ""
        console.print(f"output  {out['name']} {out['shape']}: {out['values']}{more}", highlight=False)
    console.print(
        f"run     {result.count:,} {result.unit} ({kilo(result.count)})\n"
        f"{macs_sentence(report)}\n"
        f"{input_sentence(report)}\n"
        f"{sram_sentence(report)}\n"
        f"flash   {report['flash_bytes']:,} B, of it code {report['code_bytes']:,} B",
        highlight=False,
    )
