"""`bench`: measures every model and writes docs/measurements.md."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from tessera.bench.measure import INPUTS, Measurement, measure, model_arguments
from tessera.bench.peers import TFLM
from tessera.cli.choices import Choices
from tessera.cli.command import console, progress, write_file
from tessera.errors import BadInput, UnsupportedModel
from tessera.models import ROOT

PAGE = ROOT / "docs" / "measurements.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- bench: written by ./inv bench -->", "<!-- /bench -->"
README_MODELS = (
    "helmet",
    "vww_mcunet_80_tinyengine",
    "vww_mobilenetv1_025_96_mlperf_int8",
    "cifar10_resnet8_mlperf_int8",
    "kws_dscnn_mlperf_int8",
    "persondet_mcunetv2_128x160_tinyengine",
)
TEMPLATES = Path(__file__).resolve().parents[1] / "bench"


def bench(folder: str, choices: Choices) -> None:
    models = Path(folder) if folder else ROOT.parent / "shared" / "models"
    if folder and not models.is_dir():
        raise BadInput(f"--models {folder}: no such folder")
    arguments = model_arguments(models)
    measured: list[Measurement] = []
    refused: list[str] = []
    bar, advance = progress(len(arguments), "measuring")
    with bar:
        for argument in arguments:
            advance(f"measuring {Path(argument).stem}")
            try:
                measured.append(measure(argument, choices))
            except UnsupportedModel as error:
                refused.append(str(error))
    write_file(PAGE, render("measurements.md.jinja2", measured, refused))
    _write_readme(render("readme.md.jinja2", [m for m in measured if m.name in README_MODELS], refused))
    console.print(f"{len(measured)} models measured, {len(refused)} refused: {PAGE.relative_to(ROOT)}", highlight=False)


def render(template: str, measured: list[Measurement], refused: list[str]) -> str:
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    jinja.filters["below"] = below
    return jinja.get_template(template).render(measured=measured, refused=refused, tflm=TFLM, inputs=INPUTS)


def _write_readme(table: str) -> None:
    """Replaces what lies between the marks."""
    text = README.read_text()
    head, rest = text.split(BEGIN)
    write_file(README, head + BEGIN + "\n" + table + END + rest.split(END)[1])


def below(value: float, limits: list[float]) -> str:
    """The least limit above a figure that changes from run to run, so that the page does not."""
    return next((f"≤ {limit:g}" for limit in limits if value <= limit), f"> {limits[-1]:g}")
