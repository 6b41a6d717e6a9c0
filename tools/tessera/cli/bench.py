"""`bench`: measures every model and writes docs/measurements.md; or checks that no figure got worse."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from jinja2 import Environment, FileSystemLoader

from tessera.bench.goals import GOALS, K_INSTRUCTIONS
from tessera.bench.guard import (
    COMMITTED,
    KERNEL_TABLE,
    TOLERANCE,
    Change,
    Figures,
    as_json,
    changes,
    figures_of,
    measure_figures,
    measure_kernel_figures,
    read_committed,
)
from tessera.bench.kernels import KERNELS, KernelResult, measure_kernels
from tessera.bench.measure import GoalMeasurement, Measurement, measure, measure_goal, model_arguments
from tessera.bench.patch_table import patch_table
from tessera.bench.peers import SPEED_PEERS, TFLM
from tessera.bench.row_kernels import ROW_KERNELS, RowResult, measure_row_kernels
from tessera.cli.command import console, progress, write_file
from tessera.errors import BadInput, GotWorse, UnsupportedModel
from tessera.models import ROOT
from tessera.schedule.schedule import InputMode

PAGE = ROOT / "docs" / "measurements.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- bench: written by ./inv bench -->", "<!-- /bench -->"
README_MODELS = (
    "helmet",
    "mbv2_100_224_random_int8",
    "imagenet_mcunetv2_large_224_tinyengine",
    "vww_mcunet_80_tinyengine",
    "vww_mobilenetv1_025_96_mlperf_int8",
    "cifar10_resnet8_mlperf_int8",
    "kws_dscnn_mlperf_int8",
    "persondet_mcunetv2_128x160_tinyengine",
)
TEMPLATES = Path(__file__).resolve().parents[1] / "bench"


def bench(folder: str, only: str, check: bool) -> None:
    models = Path(folder) if folder else ROOT.parent / "shared" / "models"
    if folder and not models.is_dir():
        raise BadInput(f"--models {folder}: no such folder")
    arguments = {Path(a).stem: a for a in model_arguments(models) if only in Path(a).stem}
    if not arguments:
        raise BadInput(f"--only {only}: no model has this in its name; without it all are measured")
    if check:
        _check(arguments)
        return
    measured, goals, refused = _measure(arguments)
    with TemporaryDirectory() as temporary:
        kernels = measure_kernels(KERNELS, Path(temporary))
        rows = measure_row_kernels(ROW_KERNELS, Path(temporary))
    page = render("measurements.md.jinja2", measured, goals, refused, kernels, rows)
    if only:
        console.print(page, markup=False, highlight=False, soft_wrap=True)
        return
    write_file(PAGE, page)
    write_file(COMMITTED, as_json(figures_of(measured, kernels)))
    _write_readme(render("readme.md.jinja2", [m for m in measured if m.name in README_MODELS], goals, refused))
    console.print(f"{len(measured)} models measured, {len(refused)} refused: {PAGE.relative_to(ROOT)}", highlight=False)


def _measure(arguments: dict[str, str]) -> tuple[list[Measurement], list[GoalMeasurement], list[str]]:
    """Of models by their names: layer by layer, the goals, and the sentences of those that are refused."""
    measured: dict[str, Measurement] = {}
    goals: list[GoalMeasurement] = []
    refused: list[str] = []
    wanted = [goal for goal in GOALS if goal.model in arguments]
    bar, advance = progress(len(arguments) + len(wanted), "measuring")
    with bar:
        for name, argument in arguments.items():
            advance(f"measuring {name}")
            try:
                measured[name] = measure(argument)
            except UnsupportedModel as error:
                refused.append(str(error))
        for goal in wanted:
            advance(f"measuring {goal.model}, {goal.mode.value}, {goal.limit}")
            if goal.model in measured:
                goals.append(measure_goal(arguments[goal.model], goal, measured[goal.model]))
    return list(measured.values()), goals, refused


def _check(arguments: dict[str, str]) -> None:
    """Raises GotWorse where a figure exceeds the committed one by more than the tolerance."""
    committed = read_committed()
    wanted = {name: argument for name, argument in arguments.items() if name in committed}
    now: dict[str, dict[str, float]] = {}
    bar, advance = progress(len(wanted) + 1, "measuring kernels")
    with bar:
        now[KERNEL_TABLE] = measure_kernel_figures()
        for name, argument in wanted.items():
            advance(f"measuring {name}")
            now[name] = measure_figures(argument)
    found = sorted(changes(committed, now), key=lambda c: -c.factor)
    for change in found:
        console.print(_sentence(change), highlight=False)
    worse = [change for change in found if change.is_worse]
    if worse:
        raise GotWorse(
            f"{len(worse)} of {_count(now)} figures are more than {TOLERANCE:.0%} worse than in "
            f"{COMMITTED.relative_to(ROOT)}, {worse[0].row}: {worse[0].figure} by {worse[0].factor - 1:.1%}; find why, "
            f"or write them anew with ./inv bench"
        )
    console.print(f"{_count(now)} figures of {len(wanted)} models and the kernels: none worse", highlight=False)


def _sentence(change: Change) -> str:
    return f"{change.row}: {change.figure} {change.committed:,} -> {change.now:,} ({change.factor - 1:+.2%})"


def _count(figures: Figures) -> int:
    return sum(len(row) for row in figures.values())


def render(
    template: str,
    measured: Sequence[Measurement],
    goals: Sequence[GoalMeasurement],
    refused: Sequence[str],
    kernels: Sequence[KernelResult] = (),
    row_kernels: Sequence[RowResult] = (),
) -> str:
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    jinja.filters["below"] = below
    jinja.filters["commas"] = "{:,.0f}".format
    jinja.filters["percent"] = lambda factor: f"{100 * (factor - 1):+.1f} %"
    return jinja.get_template(template).render(
        measured=measured,
        goals=goals,
        refused=refused,
        kernels=kernels,
        row_kernels=row_kernels,
        k_goals=K_INSTRUCTIONS,
        speed_peers=SPEED_PEERS,
        tflm=TFLM,
        streamed=_streamed(goals),
        patches=list(patch_table()),
    )


def _streamed(goals: Sequence[GoalMeasurement]) -> dict[str, int]:
    """Arena of each model whose image comes row by row and of which nothing is computed again."""
    return {
        m.goal.model: m.report["arena_bytes"]
        for m in goals
        if m.report and (m.goal.mode, m.goal.max_macs) == (InputMode.STREAMED, 1.0)
    }


def _write_readme(table: str) -> None:
    """Replaces what lies between the marks."""
    text = README.read_text()
    head, rest = text.split(BEGIN)
    write_file(README, head + BEGIN + "\n" + table + END + rest.split(END)[1])


def below(value: float, limits: list[float]) -> str:
    """The least limit above a figure that changes from run to run, so that the page does not."""
    return next((f"≤ {limit:g}" for limit in limits if value <= limit), f"> {limits[-1]:g}")
