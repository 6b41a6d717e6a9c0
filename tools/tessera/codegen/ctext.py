"""Numbers and arrays as C text, and the sizes that C gives to structs."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.kernels.call import Array, Function, Struct, Value

WIDTH = 120
MAX_DIMS = 6  # TESS_MAX_DIMS

# Longer byte arrays are written as strings. arm-none-eabi-gcc 12 on 4 MB of int8: a list of numbers takes 6.2 s and
# 406 MB, words of 32 bits 2.5 s and 233 MB, of 64 bits 1.7 s and 167 MB, strings 0.4 s and 93 MB.
MAX_LISTED_BYTES = 4096
_BYTES_PER_LINE = 28
_OCTAL = np.frombuffer(b"".join(b"\\%03o" % i for i in range(256)), np.uint8).reshape(256, 4)


def array_text(array: Array) -> str:
    """The initialiser, from its opening brace or first quotation mark on."""
    if array.data.dtype.itemsize == 1 and array.data.size > MAX_LISTED_BYTES:
        return _string(array.data)
    if array.data.ndim == 2 and array.ctype.startswith("tess_"):
        return _braced([f"{{{', '.join(map(str, row))}}}" for row in array.data.tolist()])
    return _braced([int_text(v) for v in array.data.reshape(-1).tolist()])


def array_length(array: Array) -> int:
    return len(array.data) if array.ctype.startswith("tess_") else array.data.size


def int_text(value: int) -> str:
    if value == -(1 << 31):
        return "INT32_MIN"
    return f"INT64_C({value})" if abs(value) >= 1 << 31 else str(value)


def float_text(value: float) -> str:
    """The float32, exactly: nine digits tell any two apart."""
    text = f"{np.float32(value):.9g}"
    return f"{text}f" if any(c in text for c in ".en") else f"{text}.0f"


def dims_text(dims: tuple[int, ...]) -> str:
    return f"{{{', '.join(map(str, dims))}}}"


def string_literal(text: str) -> str:
    """A C string; octal escapes, because a hexadecimal one has no end. `??` could be a trigraph."""
    plain = "".join(f"\\{b:03o}" if b < 32 or b > 126 or b in b'"\\?' else chr(b) for b in text.encode())
    return f'"{plain}"'


def comment_text(text: str) -> str:
    """The first of the names that a converter joined; cannot end the comment that it stands in."""
    return re.sub(r"[^ -~]", "?", text.split(";")[0]).replace("*/", "* /").replace("/*", "/ *")


def struct_sizes(struct: Struct) -> tuple[int, int]:
    """Bytes of the C struct with pointers of 4 and of 8 bytes."""
    return _layout(struct, 4)[0], _layout(struct, 8)[0]


def _layout(value: Value, pointer: int) -> tuple[int, int]:
    """(bytes, alignment)"""
    match value:
        case Struct():
            end, alignment = 0, 1
            for _, field in value.fields:
                size, align = _layout(field, pointer)
                end = -(-end // align) * align + size
                alignment = max(alignment, align)
            return -(-end // alignment) * alignment, alignment
        case None | Array() | Function():
            return pointer, pointer
        case tuple():
            return 4 * MAX_DIMS, 4
        case _:
            return 4, 4


def _braced(items: list[str]) -> str:
    lines = textwrap.wrap(", ".join(items), WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    if len(lines) == 1 and len(lines[0]) < 60:
        return f"{{{lines[0]}}}"
    return "\n".join(["{", *(f"    {line}" for line in lines), "}"])


def _string(data: NDArray[Any]) -> str:
    text = _OCTAL[np.ascontiguousarray(data).reshape(-1).view(np.uint8)].tobytes().decode("ascii")
    step = 4 * _BYTES_PER_LINE
    return "\n" + "\n".join(f'    "{text[i : i + step]}"' for i in range(0, len(text), step))
