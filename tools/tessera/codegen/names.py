"""Short C identifiers out of tensor names such as `model/conv2d_3/Relu6;model/conv2d_3/BiasAdd;...`.

Generated symbols are an identifier and a suffix (`conv2d_3_op`, `conv2d_3_weights`, `AT_CONV2D_3`), so that none can be
a reserved word or a name of the C library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_LENGTH = 32

_GENERIC = re.compile(
    r"(statefulpartitionedcall|partitionedcall|identity|biasadd|readvariableop|fusedbatchnorm(v3)?|batchnorm(alization)?"
    r"|relu6?|conv2d|depthwise(conv2d)?|separable_conv2d|add(v2)?|mul|sub|matmul|mean|max_?pool|avg_?pool|softmax|sigmoid"
    r"|reshape|shape|pad|concat(v2)?|split|strided_?slice|transpose|pack|stack|resize\w*|quant\w*|model|functional|sequential)"
    r"(_\d+)?"
)


def unique_identifiers(names: Iterable[str]) -> list[str]:
    """One identifier each, in order; what is taken gets a number."""
    taken: set[str] = set()
    result: list[str] = []
    for name in names:
        base = candidate = identifier(name)
        number = 1
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
    telling = [p for p in parts if not _GENERIC.fullmatch(p)]
    chosen = (telling or parts or ["tensor"])[-1][:MAX_LENGTH].strip("_")
    return chosen if chosen[:1].isalpha() else f"t_{chosen}"


def clean(text: str) -> str:
    """Lower case letters, digits and single underscores."""
    return re.sub(r"_+", "_", re.sub(r"[^a-z0-9]", "_", text.lower())).strip("_")
