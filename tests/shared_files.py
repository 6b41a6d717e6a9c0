"""Other people's models, which lie beside the repository on some machines and are not part of it."""

from __future__ import annotations

from pathlib import Path

SHARED_MODELS = Path(__file__).resolve().parents[2] / "shared" / "models"
TRANSFORMERS = "own_vit"  # files whose name starts so are not supported yet


def shared_model_names() -> list[str]:
    """For parametrize: the models that must work; one empty name where there are none."""
    names = sorted(p.name for p in SHARED_MODELS.glob("*.tflite") if not p.name.startswith(TRANSFORMERS))
    return names or [""]
