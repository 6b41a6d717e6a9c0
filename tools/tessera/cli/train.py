"""`train`: runs a model's recipe. TensorFlow is installed the first time somebody trains, never before."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from tessera.cli.command import console
from tessera.errors import BadInput, TesseraError, ToolMissing
from tessera.models import MODELS, ROOT

REQUIREMENTS = ROOT / "requirements-train.txt"


def train_model(model: str, data: str, out: str, epochs: int, seed: int) -> None:
    recipe = MODELS / model / "recipe.py"
    if not model or not recipe.is_file():
        known = ", ".join(sorted(p.parent.name for p in MODELS.glob("*/recipe.py")))
        raise BadInput(f"--model {model}: no recipe in models/{model}; models that can be trained: {known}")
    if not Path(data).is_dir():
        raise BadInput(f"--data {data}: no such folder; models/{model}/README.md says what belongs in it")
    _install_tensorflow()
    line = [sys.executable, str(recipe), "--data", data, "--out", out, "--seed", str(seed)]
    if epochs:
        line += ["--epochs", str(epochs)]
    if subprocess.run(line, env={**os.environ, "PYTHONPATH": str(ROOT / "tools")}, check=False).returncode:
        raise TesseraError(f"training {model} failed, the reason is above; what was reached is kept in {out}")


def _install_tensorflow() -> None:
    if importlib.util.find_spec("tensorflow"):
        return
    console.print("installing TensorFlow, once (about 1.5 GB)")
    uv = Path(sys.executable).with_name("uv")
    if not uv.is_file():
        raise ToolMissing(f"TensorFlow is missing: run through ./inv, or pip install -r {REQUIREMENTS.name}")
    line = [str(uv), "pip", "install", "-q", "--python", sys.executable, "-r", str(REQUIREMENTS)]
    if subprocess.run(line, check=False).returncode:
        raise ToolMissing(f"TensorFlow could not be installed: the reason is above ({REQUIREMENTS.name})")
