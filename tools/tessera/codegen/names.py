"""Short C identifiers out of tensor names such as `model/conv2d_3/Relu6;model/conv2d_3/BiasAdd;...`.

Generated symbols are an identifier and a suffix (`conv2d_3_op`, `conv2d_3_weights`, `AT_CONV2D_3`), so that none can be
a reserved word or a name of the C library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_LENGTH = 32

_CONTAINER = re.compile(r"(statefulpartitionedcall|partitionedcall|(model|functional|sequential)(_\d+)?)")
_KIND = re.compile(
    r"identity|bias_?add|readvariableop|fusedbatchnorm(v3)?|batchnorm(alization)?|relu6?|conv2d|convolution"
    r"|depthwise(conv2dnative)?|add(v2)?|mul|sub|matmul|mean|max_?pool|avg_?pool|softmax|sigmoid|reshape|shape|pad|concat(v2)?"
    r"|split|strided_?slice|transpose|pack|stack|resize\w*"
)


def unique_identifiers(names: Iterable[str]) -> list[str]:
    """One identifier each, in order; what is taken gets a number."""
    return unique(identifier(name) for name in names)


def unique(wanted: Iterable[str]) -> list[str]:
    """What is wanted, in order; what is taken gets a number."""
    taken: set[str] = set()
    result: list[str] = []
    for base in wanted:
        candidate, number = base, 1
        while candidate in taken:
            number += 1
            candidate = f"{base}_{number}"
        taken.add(candidate)
        result.append(candidate)
    return result


def identifier(name: str) -> str:
    """The last part of a tensor's name that says more than the kind of operator."""
    first = re.sub(r"^serving_default_", "", name.split(";")[0])
    parts = [p for p in (clean(part.split(":")[0]) for part in first.split("/")) if p]
    inside = [p for p in parts if not _CONTAINER.fullmatch(p)]
    telling = [p for p in inside if not _KIND.fullmatch(p)]
    chosen = (telling[-1:] or inside[:1] or parts[-1:] or ["tensor"])[0][:MAX_LENGTH].strip("_")
    return chosen if chosen[:1].isalpha() else f"t_{chosen}"


def clean(text: str) -> str:
    """Lower case letters, digits and single underscores."""
    return re.sub(r"_+", "_", re.sub(r"[^a-z0-9]", "_", text.lower())).strip("_")
