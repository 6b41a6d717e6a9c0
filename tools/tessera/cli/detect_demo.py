"""`detect-demo`: a detector on a board or its simulator, over a folder of photos."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError
from rich.table import Table

from tessera.board import Board, load_board
from tessera.cli.build import build_image, firmware_report
from tessera.cli.choices import Choices, compile_for
from tessera.cli.command import console, progress, write_file, write_json
from tessera.cli.memory import input_sentence, memory_report, sram_sentence
from tessera.detect.codegen import generate_detect
from tessera.detect.decode import SUBPIXELS, Detection
from tessera.detect.letterbox import Letterbox, letterbox
from tessera.detect.spec import DetectSpec, read_spec
from tessera.device import Device, open_device
from tessera.errors import BadInput
from tessera.firmware.build import Firmware
from tessera.models import ModelFile, find_model
from tessera.pipeline import GENERATED, Compiled
from tessera.report.detect_html import Box, Picture, detect_html
from tessera.report.memory_svg import memory_svg

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
COLOURS = ("#ff5a36", "#21c07a", "#3f8cff", "#f2c230")
BOX_BYTES = 10  # tess_detect_box_t
LEAST_WIDTH = 480  # of an annotated picture: smaller photos are enlarged so that labels can be read


def detect_demo(
    images: str, board_name: str, model_name: str, choices: Choices, port: str, out: str, json_path: str
) -> None:
    board, model = load_board(board_name), find_model(model_name)
    if model.card.get("task") != "detect":
        raise BadInput(f'--model {model_name}: is no detector (a model of models/ with task = "detect" in model.toml)')
    photos = find_photos(Path(images) if images else model.path.parent / "photos", images)
    compiled = compile_for(model, board, choices, decoder_bytes(read_spec(model.card)))
    image = build_detector(compiled, board, simulated=not port)
    folder = Path(out)
    pictures, runs = [], []
    bar, advance = progress(len(photos), "detecting")
    with bar, open_device(board, elf=image.elf, port=port or None) as device:
        for photo in photos:
            picture, run = detect_one(device, model, photo, folder)
            pictures.append(picture)
            runs.append(run)
            advance(f"detecting: {photo.name}")
    report = demo_report(compiled, board, image, pictures, runs)
    page = folder / "report.html"
    steps = _steps(compiled, runs[0])
    write_file(page, detect_html(report, pictures, steps, memory_svg(compiled.schedule, compiled.plan, model.name)))
    _show(report, pictures, page)
    write_json(json_path, report)


def find_photos(folder: Path, said: str) -> list[Path]:
    if not folder.is_dir():
        raise BadInput(f"--images {said or folder}: no such folder")
    photos = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if not photos:
        raise BadInput(f"--images {said or folder}: holds no picture ({', '.join(sorted(SUFFIXES))})")
    return photos


def decoder_bytes(spec: DetectSpec) -> int:
    """Static RAM of the application beside the server: its boxes."""
    return BOX_BYTES * spec.max_candidates


def build_detector(compiled: Compiled, board: Board, *, simulated: bool) -> Firmware:
    """The application `detect`: the model and its decoder."""
    card = compiled.model.path.parent / "model.toml"
    folder = GENERATED / f"{board.name}-detect"
    return build_image(compiled, board, folder, "detect", generate_detect(card).files, simulated=simulated)


def detect_one(device: Device, model: ModelFile, photo: Path, out: Path) -> tuple[Picture, dict[str, Any]]:
    """One photo: into the device, through the network and the decoder there, and drawn."""
    spec = read_spec(model.card)
    try:
        with Image.open(photo) as opened:
            pixels, frame = letterbox(opened, spec.size)
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError):
        raise BadInput(f"{photo}: not a readable picture; give JPEG, PNG, BMP or WebP files") from None
    device.load_input(0, pixels.tobytes())
    run = device.run(crcs=False)
    found = device.detect()
    boxes = tuple(to_photo(frame, d, spec.classes) for d in found.boxes)
    annotated = out / f"{photo.stem}.png"
    annotate(upright, boxes, spec.classes, annotated)
    count = run.count + found.count
    facts = {"picture": photo.name, run.unit: count, "boxes": [asdict(b) for b in boxes]}
    steps = [s.count for s in run.steps]
    return Picture(photo.name, annotated, boxes, count), {**facts, "stack_bytes": run.stack_bytes, "steps": steps}


def to_photo(frame: Letterbox, d: Detection, classes: tuple[str, ...]) -> Box:
    x1, y1 = frame.to_photo(d.x1 / SUBPIXELS, d.y1 / SUBPIXELS)
    x2, y2 = frame.to_photo(d.x2 / SUBPIXELS, d.y2 / SUBPIXELS)
    return Box(round(x1, 1), round(y1, 1), round(x2, 1), round(y2, 1), classes[d.label], d.score / 256)


def annotate(photo: Image.Image, boxes: tuple[Box, ...], classes: tuple[str, ...], path: Path) -> None:
    scale = max(1, -(-LEAST_WIDTH // photo.width))
    picture = photo.resize((photo.width * scale, photo.height * scale), Image.Resampling.BICUBIC)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=13)
    for box in sorted(boxes, key=lambda b: b.score):
        colour = COLOURS[classes.index(box.label) % len(COLOURS)]
        corners = [scale * v for v in (box.x1, box.y1, box.x2, box.y2)]
        pen.rectangle(corners, outline=colour, width=3)
        text = f"{box.label} {box.score:.2f}"
        left, top, right, bottom = pen.textbbox((corners[0] + 3, max(0, corners[1] - 17)), text, font=font)
        pen.rectangle((left - 3, top - 2, right + 3, bottom + 2), fill=colour)
        pen.text((left, max(0, corners[1] - 17)), text, fill="black", font=font)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def demo_report(
    compiled: Compiled, board: Board, image: Firmware, pictures: list[Picture], runs: list[dict[str, Any]]
) -> dict[str, Any]:
    unit = next(k for k in ("instructions", "cycles") if k in runs[0])
    return {
        **memory_report(compiled, board),
        **firmware_report(compiled, board, image),
        "description": compiled.model.card["description"],
        "unit": unit,
        "mean_count": round(sum(p.count for p in pictures) / len(pictures)),
        "stack_bytes": max(r["stack_bytes"] for r in runs),
        "pictures": [{k: v for k, v in r.items() if k not in ("steps", "stack_bytes")} for r in runs],
    }


def _steps(compiled: Compiled, run: dict[str, Any]) -> list[dict[str, Any]]:
    calls = zip(compiled.kernels, run["steps"], strict=True)
    return [{"name": c.op, "kind": c.kind, "macs": c.macs, "count": count} for c, count in calls]


def _show(report: dict[str, Any], pictures: list[Picture], page: Path) -> None:
    table = Table(title=f"{report['model']} on {report['board']}", title_justify="left")
    for name in ("picture", "boxes", "score", report["unit"]):
        table.add_column(name, justify="left" if name in ("picture", "boxes") else "right", overflow="fold")
    for p in pictures:
        labels = "\n".join(f"{b.label} at {b.x1:.0f},{b.y1:.0f} .. {b.x2:.0f},{b.y2:.0f}" for b in p.boxes) or "nothing"
        scores = "\n".join(f"{b.score:.2f}" for b in p.boxes)
        table.add_row(p.name, labels, scores, f"{p.count:,}", end_section=True)
    console.print(table)
    width = shutil.get_terminal_size().columns
    console.print(
        f"{input_sentence(report)}\n{sram_sentence(report)}\nflash   {report['flash_bytes']:,} B\nreport  {page}",
        highlight=False,
        width=max(width, 80),
        soft_wrap=True,
    )
