"""Where a `--model` argument points: a name in models/ (with its model.toml) or a path to a .tflite file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tessera.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model to compile. `card` is its model.toml, empty for a bare .tflite."""

    name: str
    path: Path
    card: dict[str, Any] = field(default_factory=dict)

    def read(self) -> bytes:
        return self.path.read_bytes()


def model_names() -> list[str]:
    return sorted(p.parent.name for p in MODELS.glob("*/model.toml"))


def find_model(text: str) -> ModelFile:
    card_path = MODELS / text / "model.toml"
    if text and "/" not in text and card_path.is_file():
        card = tomllib.loads(card_path.read_text())
        return ModelFile(text, card_path.parent / card["tflite"], card)
    path = Path(text).expanduser()
    if path.is_file():
        return ModelFile(identifier(path.stem), path)
    if path.exists():
        raise BadInput(f"--model {text}: not a file; give a .tflite file or one of {', '.join(model_names())}")
    raise BadInput(f"--model {text}: no such file, and no model of that name in models/ ({', '.join(model_names())})")


def identifier(text: str) -> str:
    """A C identifier made of a file name."""
    clean = "".join(c if c.isascii() and c.isalnum() else "_" for c in text)
    return clean if clean[:1].isalpha() else f"m_{clean}"
