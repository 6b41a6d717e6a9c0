"""Tessera's tasks. `./inv --list` names them, `./inv --help TASK` explains one."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))

from invoke import Context, task  # noqa: E402

from tessera.cli import developer  # noqa: E402
from tessera.cli.command import command  # noqa: E402

MODEL = "a name in models/ or a path to an int8 or uint8 .tflite file"
BOARD = "qemu-m4, qemu-m7, f4, f7 or h7"
EDGES = "int8 or float"
INPUT = (
    "how the image comes in: resident, streamed (rows are pulled once, in order) or reread (parts of rows are pulled, "
    "possibly again); without limits: the least work in the board's memory"
)
SRAM = (
    "limit for all of SRAM, for instance 64k (1,024 bytes each) or 64kB (default: the board's); the least work in it, "
    "with fast kernels if they fit"
)
MAX_MACS = (
    "limit for MACs executed, as a multiple of the model's; without --sram: the least memory with them, and with lean "
    "kernels, which are slower"
)
JSON = "also write the report to this file, as JSON"
CHOICES = {"edges": EDGES, "input": INPUT, "sram": SRAM, "max_macs": MAX_MACS}


@task(help={"model": MODEL, "json": JSON})
@command
def inspect(_c: Context, model: str = "", json: str = "") -> None:
    """Show a model's operators, shapes, quantisation, MACs and memory peaks."""
    from tessera.cli.inspect import inspect_model

    inspect_model(model, json)


@task(
    help={
        "model": MODEL,
        "board": BOARD,
        "svg": "draw the memory map, or with --pareto the plot, into this file",
        "pareto": "the front of SRAM against MACs with lean kernels, for every way to hand over the image (minutes for "
        "a large model)",
        **CHOICES,
        "json": JSON,
    }
)
@command
def plan(
    _c: Context,
    model: str = "",
    board: str = "h7",
    svg: str = "",
    pareto: bool = False,
    edges: str = "int8",
    input: str = "resident",
    sram: str = "",
    max_macs: str = "",
    json: str = "",
) -> None:
    """Schedule a model, place its buffers in SRAM and say what it costs."""
    from tessera.cli.choices import parse_choices
    from tessera.cli.pareto import plan_pareto
    from tessera.cli.plan import plan_model

    choices = parse_choices(edges, input, sram, max_macs)
    (plan_pareto if pareto else plan_model)(model, board, choices, svg, json)


@task(help={"board": BOARD, "model": MODEL + " (default: helmet)", **CHOICES, "json": JSON})
@command
def build(
    _c: Context,
    board: str = "h7",
    model: str = "helmet",
    edges: str = "int8",
    input: str = "resident",
    sram: str = "",
    max_macs: str = "",
    json: str = "",
) -> None:
    """Build the firmware of a board with PlatformIO, and its simulated twin."""
    from tessera.cli.build import build_model
    from tessera.cli.choices import parse_choices

    build_model(model, board, parse_choices(edges, input, sram, max_macs), json)


@task(
    help={
        "model": MODEL,
        "board": BOARD,
        "image": "a .npy array, or a picture; without it the input is random",
        "seed": "of the random input",
        "port": "serial port of a real board; without it the simulator runs",
        "outputs": "write the outputs to this .npz file",
        **CHOICES,
        "json": JSON,
    }
)
@command
def run(
    _c: Context,
    model: str = "",
    board: str = "h7",
    image: str = "",
    seed: int = 0,
    port: str = "",
    outputs: str = "",
    edges: str = "int8",
    input: str = "resident",
    sram: str = "",
    max_macs: str = "",
    json: str = "",
) -> None:
    """Run one inference on a board or its simulator and report outputs, instructions and memory."""
    from tessera.cli.choices import parse_choices
    from tessera.cli.run import run_model

    run_model(model, board, parse_choices(edges, input, sram, max_macs), image, seed, port, outputs, json)


@task(
    help={
        "model": MODEL,
        "board": BOARD,
        "inputs": "how many inputs: noise, narrow noise, ramp, all least, all largest, then more noise",
        "seed": "of the random inputs",
        "port": "serial port of a real board; without it the simulator runs",
        **CHOICES,
        "json": JSON,
    }
)
@command
def verify(
    _c: Context,
    model: str = "",
    board: str = "qemu-m4",
    inputs: int = 8,
    seed: int = 0,
    port: str = "",
    edges: str = "int8",
    input: str = "resident",
    sram: str = "",
    max_macs: str = "",
    json: str = "",
) -> None:
    """Compare every tensor with LiteRT's reference kernels, byte for byte; exit 1 at a difference."""
    from tessera.cli.choices import parse_choices
    from tessera.cli.verify import verify_model

    verify_model(model, board, parse_choices(edges, input, sram, max_macs), inputs, seed, port, json)


@task(
    help={
        "model": MODEL,
        "board": BOARD + "; its simulator runs",
        "image": "a .npy array, or a picture; without it the input is random",
        "seed": "of the random input",
        "by": "what the flame chart and the terminal's bars show: instructions, or estimated cycles of cortex-m4 or "
        "cortex-m7",
        "hot": "list so many blocks of instructions, those that take the most",
        "svg": "draw model, steps and functions as layers of boxes into this file",
        "bars": "draw a bar of every step's instructions into this file",
        **CHOICES,
        "json": JSON,
    }
)
@command
def profile(
    _c: Context,
    model: str = "helmet",
    board: str = "h7",
    image: str = "",
    seed: int = 0,
    by: str = "instructions",
    hot: int = 0,
    svg: str = "",
    bars: str = "",
    edges: str = "int8",
    input: str = "resident",
    sram: str = "",
    max_macs: str = "",
    json: str = "",
) -> None:
    """Count what every step executes in the simulator; estimate cycles of Cortex-M4 and M7."""
    from tessera.cli.choices import parse_choices
    from tessera.cli.profile import Shown, profile_model

    choices = parse_choices(edges, input, sram, max_macs)
    profile_model(model, board, choices, image, seed, Shown(by, hot, svg, bars, json))


@task(
    help={
        "images": "a folder of photos (default: the ones that ship)",
        "board": BOARD,
        "model": "a detector in models/",
        "input": INPUT,
        "sram": SRAM,
        "max_macs": MAX_MACS,
        "port": "serial port of a real board; without it the simulator runs",
        "out": "folder for the annotated pictures and the report",
        "json": JSON,
    }
)
@command
def detect_demo(
    _c: Context,
    images: str = "",
    board: str = "h7",
    model: str = "helmet",
    input: str = "resident",
    sram: str = "",
    max_macs: str = "",
    port: str = "",
    out: str = "build/detect-demo",
    json: str = "",
) -> None:
    """Find heads and helmets in photos on a simulated STM32H743; writes annotated pictures and an HTML report."""
    from tessera.cli.choices import parse_choices
    from tessera.cli.detect_demo import detect_demo as demo

    demo(images, board, model, parse_choices("int8", input, sram, max_macs), port, out, json)


@task(
    help={
        "model": "a model in models/ that has a recipe",
        "data": "folder of its training data, see models/<name>/README.md",
        "out": "folder for checkpoints and the trained model",
        "epochs": "how long (default: as the recipe says)",
        "seed": "of everything random",
    }
)
@command
def train(
    _c: Context, model: str = "helmet", data: str = "", out: str = "build/train", epochs: int = 0, seed: int = 1
) -> None:
    """Train, quantise and evaluate a model of the project; installs TensorFlow the first time."""
    from tessera.cli.train import train_model

    train_model(model, data, out, epochs, seed)


@task(help={"quick": "only the tests that take no time", "args": "more arguments for pytest"})
@command
def test(_c: Context, quick: bool = False, args: str = "") -> None:
    """Run the tests; those that need files or tools which are not here are skipped with a word."""
    developer.test(quick, args)


@task(help={"fix": "format and repair instead of checking"})
@command
def lint(_c: Context, fix: bool = False) -> None:
    """Check style, types and C formatting."""
    developer.lint(fix)


@task(
    help={
        "models": "folder of .tflite files to measure beside the project's own (default: ../shared/models)",
        "only": "measure models with this in their names, and show the page instead of writing it",
        "check": "only compare with docs/measurements.json; fails where a figure is more than 2 % worse",
    }
)
@command
def bench(_c: Context, models: str = "", only: str = "", check: bool = False) -> None:
    """Measure all models and write docs/measurements.* and README's table, or check that nothing got worse."""
    from tessera.cli.bench import bench as measure

    measure(models, only, check)


@task
@command
def docs(_c: Context) -> None:
    """Write what is generated in docs/: operators.md, cycle_model.md and the pictures."""
    developer.docs()


@task(
    help={
        "model": MODEL + ", mobilenetv2 or mobilenetv2_rd; without it MCUNetV2's table of both",
        "patches": "p: along each side (default: tries 2 to 8)",
        "layers": "how many operators run by patches (default: tries all)",
        "svg": "draw what one patch needs into this file",
        "json": JSON,
    }
)
@command
def patches(_c: Context, model: str = "", patches: int = 0, layers: int = 0, svg: str = "", json: str = "") -> None:
    """What MCUNetV2's inference by patches costs: patch size, halo, MACs and bytes, from our own analysis."""
    from tessera.cli.patches import show_patches

    show_patches(model, patches, layers, svg, json)
