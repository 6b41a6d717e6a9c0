"""What the linked firmware costs and where its functions lie."""

from dataclasses import dataclass
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Symbol, SymbolTableSection


@dataclass(frozen=True)
class Sizes:
    """Bytes of a firmware, by the linker's output sections."""

    sections: tuple[tuple[str, int], ...]
    """Every section that occupies memory."""
    code_bytes: int
    """Vectors and instructions."""
    model_bytes: int
    """Constants of the generated files: weights, parameters, tables, step names."""
    constants_bytes: int
    """Other constants, of library and application, and initial values of variables."""
    static_ram_bytes: int
    """.data, .bss and .noinit: neither arena nor stack."""
    stack_bytes: int
    """Reserved, without the guard's 32."""
    arena_bytes: int

    @property
    def flash_bytes(self) -> int:
        return self.code_bytes + self.model_bytes + self.constants_bytes


def read_sizes(elf: Path) -> Sizes:
    with elf.open("rb") as stream:
        file = ELFFile(stream)
        found = {s.name: int(s["sh_size"]) for s in file.iter_sections() if s["sh_flags"] & SH_FLAGS.SHF_ALLOC}
        symbols = {s.name: int(s["st_value"]) for s in _symbols(file)}
    arenas = [name for name in found if name == ".arena" or name.startswith(".arena.")]  # one a memory
    known = {".vectors", ".text", ".model", ".rodata", ".ARM.exidx", ".data", ".bss", ".noinit", ".stack", *arenas}
    assert set(found) <= known, f"a section without a meaning: {sorted(set(found) - known)}"

    def total(*names: str) -> int:
        return sum(found.get(name, 0) for name in names)

    return Sizes(
        sections=tuple(found.items()),
        code_bytes=total(".vectors", ".text", ".ARM.exidx"),
        model_bytes=total(".model"),
        constants_bytes=total(".rodata", ".data"),
        static_ram_bytes=total(".data", ".bss", ".noinit"),
        stack_bytes=symbols["_stack_high"] - symbols["_stack_low"],
        arena_bytes=total(*arenas),
    )


def _symbols(file: ELFFile) -> list[Symbol]:
    table = file.get_section_by_name(".symtab")
    return list(table.iter_symbols()) if isinstance(table, SymbolTableSection) else []


def function_at(elf: Path, address: int) -> str | None:
    """Name of the function that holds the address."""
    with elf.open("rb") as stream:
        for symbol in _symbols(ELFFile(stream)):
            start = symbol["st_value"] & ~1
            if symbol["st_info"]["type"] == "STT_FUNC" and start <= address < start + symbol["st_size"]:
                return str(symbol.name)
    return None
