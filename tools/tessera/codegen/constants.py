"""Constant arrays and structs of generated C: their names and their text."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.codegen.ctext import array_length, array_text, dims_text, float_text, int_text, struct_sizes
from tessera.kernels.call import Array, Function, Struct, Value


@dataclass(frozen=True, slots=True)
class ArrayText:
    name: str
    ctype: str
    length: int
    text: str

    @property
    def is_bytes(self) -> bool:
        return self.ctype in ("int8_t", "uint8_t")


@dataclass(frozen=True, slots=True)
class StructText:
    ctype: str
    name: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SizeText:
    ctype: str
    bytes_32: int
    bytes_64: int


class Constants:
    """Names the constants of the steps. Equal arrays are one."""

    def __init__(self) -> None:
        self.arrays: dict[str, ArrayText] = {}
        self.structs: list[StructText] = []
        self.sizes: dict[str, SizeText] = {}
        self._known: dict[tuple[str, bytes], str] = {}

    def array(self, array: Array, step: str) -> str:
        key = (array.ctype, array.data.tobytes())
        if key not in self._known:
            name = f"{step}_{array.role}"
            assert name not in self.arrays, name
            self.arrays[name] = ArrayText(name, array.ctype, array_length(array), array_text(array))
            self._known[key] = name
        return self._known[key]

    def struct(self, struct: Struct, name: str, step: str) -> str:
        fields = tuple((field, self._value(value, step)) for field, value in struct.fields)
        self.structs.append(StructText(struct.ctype, name, fields))
        self.sizes.setdefault(struct.ctype, SizeText(struct.ctype, *struct_sizes(struct)))
        return f"&{name}"

    def _value(self, value: Value, step: str) -> str:
        match value:
            case Struct():
                inner = ", ".join(f".{field} = {self._value(v, step)}" for field, v in value.fields)
                return f"{{{inner}}}"
            case Array():
                return self.array(value, step)
            case Function():
                return value.symbol
            case None:
                return "NULL"
            case tuple():
                return dims_text(value)
            case float():
                return float_text(value)
            case _:
                return int_text(value)
