"""Runs a firmware in the simulator under the plugin: how often each block of instructions ran, for which step."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from tessera.board import Board
from tessera.device import open_device
from tessera.errors import BoardError
from tessera.profile.plugin import plugin

SILENCE_S = 600.0
"""A marked run sends nothing until it ends: over 10^10 instructions, ten times what the largest model takes."""
OWN = ("tess_mark", "tess_mark_piece", "tess_mark_row", "tess_mark_run")
"""Functions of firmware/serve/marks.c."""


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Runs:
    """Of a block in a region."""

    count: int
    left: int  # of them, those after which another block than the one behind it followed
    unaligned: int  # accesses that were


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Instructions that run one after the other."""

    address: int
    code: bytes
    calls: bool  # marks.c, directly
    runs: Mapping[int, Runs]  # by region


@dataclass(frozen=True, slots=True)
class Accesses:
    """Of a region: accesses of each memory, of at most 4 bytes each."""

    loads: tuple[int, ...]
    stores: tuple[int, ...]
    stack_bytes: int  # from the stack's upper end to the lowest byte that was stored to; 0: to none


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Two runs with the same input: one with a mark at every piece, one as an application has it.

    Regions: each step's, then that of the engine between steps, then that of the whole second run.
    """

    steps: int
    memories: tuple[str, ...]
    blocks: tuple[Block, ...]
    regions: tuple[Accesses, ...]
    functions: tuple[Function, ...]  # by address
    stack_bytes: int  # painted, of the second run

    @property
    def engine(self) -> int:
        return self.steps

    @property
    def whole(self) -> int:
        return self.steps + 1


def trace(board: Board, elf: Path, inputs: Sequence[bytes]) -> Trace:
    """`inputs`: the bytes of each input of the model."""
    symbols = _symbols(elf)
    with tempfile.TemporaryDirectory(prefix="tessera-") as folder:
        out = Path(folder) / "trace.json"
        # without -icount, which cuts blocks: the plugin counts, and nothing in a marked run looks at a timer
        watched = replace(
            board, simulator=replace(board.simulator, args=("-plugin", _plugin_option(board, symbols, out)))
        )
        with open_device(watched, elf=elf, silence_s=SILENCE_S) as device:
            for pieces in (True, False):
                for i, data in enumerate(inputs):
                    device.load_input(i, data)
                stack_bytes = device.run_marked(pieces=pieces)
            device.exit()
        try:
            found = json.loads(out.read_text())
        except (OSError, ValueError):
            raise BoardError(f"QEMU of {board.name} (simulated) ended without a trace; is its disk full?") from None
    code = _code_of(elf)
    return Trace(
        steps=symbols["tess_marks"].end - symbols["tess_marks"].begin - 3,
        memories=tuple(name for name, _ in board.simulator.origins),
        blocks=tuple(
            Block(b["begin"], code(b["begin"], b["end"]), b["calls"], {r: Runs(*runs) for r, *runs in b["runs"]})
            for b in sorted(found["blocks"], key=lambda b: (b["begin"], b["end"]))
        ),
        regions=tuple(Accesses(tuple(r["loads"]), tuple(r["stores"]), r["stack_bytes"]) for r in found["regions"]),
        functions=_functions(elf),
        stack_bytes=stack_bytes,
    )


def _plugin_option(board: Board, symbols: Mapping[str, Function], out: Path) -> str:
    marks, low, high = symbols["tess_marks"], symbols["_stack_low"].begin, symbols["_stack_high"].begin
    intervals = [("marks", marks.begin, marks.end), ("stack", low, high)]
    intervals += [("own", symbols[name].begin, symbols[name].end) for name in OWN]
    sizes = {region.name: region.bytes for region in board.regions}
    intervals += [("memory", origin, origin + sizes[name]) for name, origin in board.simulator.origins]
    parts = [str(plugin()), f"out={out}", *(f"{key}={begin:x}:{end:x}" for key, begin, end in intervals)]
    return ",".join(part.replace(",", ",,") for part in parts)


def _code_of(elf: Path) -> Callable[[int, int], bytes]:
    """A function from an interval of addresses to the bytes there."""
    with elf.open("rb") as stream:
        sections = [
            (int(s["sh_addr"]), s.data())
            for s in ELFFile(stream).iter_sections()
            if (s["sh_type"] == "SHT_PROGBITS" and s["sh_addr"]) or s.name == ".vectors"
        ]

    def code(begin: int, end: int) -> bytes:
        for address, data in sections:
            if address <= begin and end <= address + len(data):
                return bytes(data[begin - address : end - address])
        raise AssertionError(f"no code at 0x{begin:x}")

    return code


def _symbols(elf: Path) -> dict[str, Function]:
    with elf.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        found = {}
        for symbol in table.iter_symbols():
            begin = symbol["st_value"] & ~1 if symbol["st_info"]["type"] == "STT_FUNC" else symbol["st_value"]
            found[symbol.name] = Function(symbol.name, begin, begin + symbol["st_size"])
    return found


def _functions(elf: Path) -> tuple[Function, ...]:
    """By address. What assembly sources gave no size goes on to the next one."""
    with elf.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        found = {
            int(symbol["st_value"]) & ~1: (str(symbol.name), int(symbol["st_size"]))
            for symbol in table.iter_symbols()
            if symbol["st_info"]["type"] == "STT_FUNC"
        }
    begins = sorted(found)
    ends = [*begins[1:], begins[-1]]
    return tuple(
        Function(name, begin, begin + size if size else end)
        for begin, end, (name, size) in zip(begins, ends, (found[b] for b in begins), strict=True)
    )
