"""`bench`: measures every model and writes docs/measurements.md."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from tessera.bench.measure import INPUTS, Measurement, measure, model_arguments
from tessera.bench.peers import TFLM
from tessera.cli.command import console, progress, write_file
from tessera.errors import BadInput, UnsupportedModel
from tessera.models import ROOT

PAGE = ROOT / "docs" / "measurements.md"
TEMPLATES = Path(__file__).resolve().parents[1] / "bench"


def bench(folder: str) -> None:
    models = Path(folder) if folder else ROOT.parent / "shared" / "models"
    if folder and not models.is_dir():
        raise BadInput(f"--models {folder}: no such folder")
    arguments = model_arguments(models)
    measured: list[Measurement] = []
    refused: list[tuple[str, str]] = []
    bar, advance = progress(len(arguments), "measuring")
    with bar:
        for argument in arguments:
            advance(f"measuring {Path(argument).stem}")
            try:
                measured.append(measure(argument))
            except UnsupportedModel as error:
                refused.append((Path(argument).stem, str(error)))
    write_file(PAGE, measurements_page(measured, refused))
    console.print(f"{len(measured)} models measured, {len(refused)} refused: {PAGE.relative_to(ROOT)}", highlight=False)


def measurements_page(measured: list[Measurement], refused: list[tuple[str, str]]) -> str:
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    jinja.filters["below"] = below
    return jinja.get_template("measurements.md.jinja2").render(
        measured=measured, refused=refused, tflm=TFLM, inputs=INPUTS
    )


def below(value: float, limits: list[float]) -> str:
    """The least limit above a figure that changes from run to run, so that the page does not."""
    return next((f"≤ {limit:g}" for limit in limits if value <= limit), f"> {limits[-1]:g}")
