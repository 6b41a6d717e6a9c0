"""Names of operators: short identifiers made from the converter's long tensor names."""

from __future__ import annotations

import re
from collections.abc import Iterable

_MOST_CHARACTERS = 40


def unique_names(tensor_names: Iterable[str]) -> list[str]:
    """One C identifier for each; a name that comes again gets a number."""
    result: list[str] = []
    taken: set[str] = set()
    for text in tensor_names:
        base = _identifier(text)
        name, n = base, 1
        while name in taken:
            n += 1
            name = f"{base}_{n}"
        taken.add(name)
        result.append(name)
    return result


def _identifier(text: str) -> str:
    """Fused operators list several names: the first; of a path, as many last parts as are short enough."""
    parts = [p for p in re.split(r"[^A-Za-z0-9]+", text.split(";")[0]) if p]
    kept: list[str] = []
    for part in reversed(parts):
        if kept and len("_".join([part, *kept])) > _MOST_CHARACTERS:
            break
        kept.insert(0, part[-_MOST_CHARACTERS:])
    name = "_".join(kept) or "op"
    return name if name[0].isalpha() else f"op_{name}"
