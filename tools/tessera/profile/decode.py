"""Thumb instructions as the cycle models see them: what each is, which registers it needs and when, what it writes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from capstone import CS_ARCH_ARM, CS_MODE_MCLASS, CS_MODE_THUMB, Cs, CsInsn
from capstone.arm import ARM_CC_AL, ARM_CC_INVALID, ARM_OP_IMM, ARM_OP_MEM, ARM_OP_REG

FLAGS = "flags"
NONE: frozenset[str] = frozenset()
FLAGS_ONLY = frozenset({FLAGS})


class Kind(Enum):
    """What reports count."""

    LOAD = "loads"
    STORE = "stores"
    BRANCH = "branches"
    MULTIPLY = "multiplies"
    OTHER = "other"


class Form(Enum):
    """What differs in a pipeline."""

    SIMPLE = "add, sub, mov of a register or a small constant"
    ALU = "other arithmetic and logic"
    SHIFTED = "with a shifted operand or a shifted constant"
    SHIFT = "lsl, lsr, asr, ror"
    REVERSE = "rev, rbit"
    FIELD = "ubfx, sbfx"
    INSERT = "bfi, pkhbt, uxtab: takes its last register shifted"
    EXTEND = "sxtb, uxtb16"
    SIMD = "sadd16, usad8, sel, clz"
    SATURATE = "ssat, qadd"
    MULTIPLY = "mul, mla, smlad, smlal"
    DIVIDE = "sdiv, udiv"
    LOAD = "ldr, vldr"
    LOAD_NARROW = "ldrb, ldrsh"
    LOAD_MANY = "ldm, pop, ldrd"
    STORE = "str, vstr"
    STORE_NARROW = "strb, strh"
    STORE_MANY = "stm, push, strd"
    BRANCH = "b, bl, cbz: to a fixed address"
    JUMP = "bx, blx: to an address in a register"
    TABLE = "tbb, tbh"
    PREDICATE = "it"
    NOP = "nop, hints, pld"
    FLOAT = "floating point, multiplications too"
    FLOAT_MAC = "vfma, vmla"
    FLOAT_DIVIDE = "vdiv, vsqrt"
    SYSTEM = "mrs, msr, dsb, bkpt"


LOADS = frozenset({Form.LOAD, Form.LOAD_NARROW, Form.LOAD_MANY})
STORES = frozenset({Form.STORE, Form.STORE_NARROW, Form.STORE_MANY})
KINDS = {
    **dict.fromkeys(LOADS, Kind.LOAD),
    **dict.fromkeys(STORES, Kind.STORE),
    **dict.fromkeys((Form.BRANCH, Form.JUMP, Form.TABLE), Kind.BRANCH),
    **dict.fromkeys((Form.MULTIPLY, Form.FLOAT_MAC), Kind.MULTIPLY),
}


@dataclass(frozen=True, slots=True)
class Instruction:
    """Registers by name; `flags` is one of them."""

    address: int
    size: int  # 2 or 4 bytes
    text: str
    form: Form
    addressed: frozenset[str] = NONE  # used to form an address
    shifted: frozenset[str] = NONE  # used by the shifter in front of the ALU
    sources: frozenset[str] = NONE  # used by the ALU or as factors
    accumulated: frozenset[str] = NONE  # added to a product
    stored: frozenset[str] = NONE
    results: frozenset[str] = NONE
    updated: frozenset[str] = NONE  # bases of pre- and post-indexed accesses
    order: tuple[str, ...] = ()  # what a load of several fills, in this order
    words: int = 1  # that an access moves
    base: str = ""  # of an access with a constant offset
    offset: int = 0
    indexed: bool = False  # by a register
    jumps: bool = False  # may go on elsewhere
    conditional: bool = False  # may not go there
    target: int | None = None  # of a jump to a fixed address

    @property
    def kind(self) -> Kind:
        return KINDS.get(self.form, Kind.OTHER)

    @property
    def end(self) -> int:
        return self.address + self.size


# the first pattern that matches a mnemonic without its condition and width says the form
FORMS: tuple[tuple[str, Form], ...] = (
    (r"v(ldm|pop)", Form.LOAD_MANY),
    (r"v(stm|push)", Form.STORE_MANY),
    (r"vldr", Form.LOAD),
    (r"vstr", Form.STORE),
    (r"v(div|sqrt)", Form.FLOAT_DIVIDE),
    (r"v(fn?m[as]|n?ml[as])", Form.FLOAT_MAC),
    (r"v", Form.FLOAT),
    (r"(ldm|pop|ldrd)", Form.LOAD_MANY),
    (r"(stm|push|strd)", Form.STORE_MANY),
    (r"ldr(s?[bh]t?|ex[bh])$", Form.LOAD_NARROW),
    (r"(ldr|ldrt|ldrex)$", Form.LOAD),
    (r"str([bh]t?|ex[bh])$", Form.STORE_NARROW),
    (r"(str|strt|strex)$", Form.STORE),
    (r"tb[bh]$", Form.TABLE),
    (r"(bx|blx)$", Form.JUMP),
    (r"(b|bl|cbn?z)$", Form.BRANCH),
    (r"it[te]*$", Form.PREDICATE),
    (r"[us]div$", Form.DIVIDE),
    (r"(muls?|ml[as]|[us]mull|[us]mlal\w*|umaal|smul\w+|smml[as]r?|smmulr?|sml\w+|smua?d\w*|smusd\w*)$", Form.MULTIPLY),
    (r"([us]sat(16)?|u?q(add|sub|asx|sax)\w*|qd(add|sub))$", Form.SATURATE),
    (r"(rev(16|sh)?|rbit)$", Form.REVERSE),
    (r"[us]bfx$", Form.FIELD),
    (r"(bf[ic]|pkh(bt|tb)|[us]xta(b|h|b16))$", Form.INSERT),
    (r"[us]xt(b|h|b16)$", Form.EXTEND),
    (r"([us]h?(add|sub)(8|16)|[us]h?(asx|sax)|sel|clz|usada?8)$", Form.SIMD),
    (r"(lsl|lsr|asr|ror)s?$", Form.SHIFT),
    (r"(nop|yield|wfe|wfi|sev|pld|pldw|pli)$", Form.NOP),
    (r"(mrs|msr|dmb|dsb|isb|bkpt|svc|cps\w*|udf|clrex)$", Form.SYSTEM),
    (r"(add|sub|mov)[sw]?$", Form.SIMPLE),
    (r"", Form.ALU),
)
NO_RESULT = ("cmp", "cmn", "tst", "teq")
READS_FLAGS = ("adc", "adcs", "sbc", "sbcs", "rrx", "sel")


def decoder() -> Callable[[bytes, int], tuple[Instruction, ...]]:
    """A function from code and its address to instructions."""
    capstone = Cs(CS_ARCH_ARM, CS_MODE_THUMB | CS_MODE_MCLASS)
    capstone.detail = True

    def decode(code: bytes, address: int) -> tuple[Instruction, ...]:
        found = tuple(_instruction(i) for i in capstone.disasm(code, address))
        read = sum(i.size for i in found)
        assert read == len(code), f"cannot decode {code[read:].hex()} at 0x{address + read:x}"
        return found

    return decode


def _instruction(raw: CsInsn) -> Instruction:
    conditional = raw.cc not in (ARM_CC_AL, ARM_CC_INVALID)
    name = _plain_name(raw, conditional)
    form = next(form for pattern, form in FORMS if re.match(pattern, name))
    plain = Instruction(raw.address, raw.size, f"{raw.mnemonic} {raw.op_str}".strip(), form)
    if form in LOADS or form in STORES:
        found = _access(raw, plain)
    elif form in (Form.BRANCH, Form.JUMP, Form.TABLE):
        found = _jump(raw, plain, name, conditional)
    elif form is Form.MULTIPLY:
        found = _product(raw, plain, name)
    else:
        found = _computation(raw, plain, name)
    if (conditional and form is not Form.PREDICATE) or name in READS_FLAGS:
        found = replace(found, sources=found.sources | {FLAGS})
    return found


def _plain_name(raw: CsInsn, conditional: bool) -> str:
    name = str(raw.mnemonic).split(".")[0]
    if conditional and not name.startswith("it"):
        name = name[:-2]
    return name


def _names(raw: CsInsn) -> list[str]:
    """Its register operands, in the order of its text."""
    return [str(raw.reg_name(o.reg)) for o in raw.operands if o.type == ARM_OP_REG]


def _access(raw: CsInsn, plain: Instruction) -> Instruction:
    names = _names(raw)
    memory = next((o.mem for o in raw.operands if o.type == ARM_OP_MEM), None)
    if memory is not None:
        base = str(raw.reg_name(memory.base))
        index = str(raw.reg_name(memory.index)) if memory.index else ""
        several = len(names) > 1
        updated = bool(raw.writeback)
    else:  # the base is the first operand, or sp
        implicit = re.match(r"v?(push|pop)", raw.mnemonic) is not None
        base, index = "sp" if implicit else names[0], ""
        names = names if implicit else names[1:]
        several = True
        updated = implicit or bool(raw.writeback)
    moved, stores = frozenset(names), plain.form in STORES
    post = raw.operands[-1].type == ARM_OP_IMM
    return replace(
        plain,
        addressed=frozenset({base, index} - {"pc", ""}),
        stored=moved if stores else NONE,
        results=NONE if stores else moved,
        updated=frozenset({base}) if updated else NONE,
        order=tuple(names) if several and not stores else (),
        words=sum(2 if n.startswith("d") else 1 for n in names) if several else 1,
        base="" if index or memory is None else base,
        offset=0 if memory is None or post else memory.disp,
        indexed=bool(index),
        jumps="pc" in moved and not stores,
    )


def _jump(raw: CsInsn, plain: Instruction, name: str, conditional: bool) -> Instruction:
    last, links = raw.operands[-1], frozenset({"lr"} if name in ("bl", "blx") else ())
    jump = replace(plain, results=links, jumps=True, conditional=conditional or name in ("cbz", "cbnz"))
    if plain.form is Form.TABLE:
        table = last.mem
        return replace(jump, addressed=frozenset(str(raw.reg_name(r)) for r in (table.base, table.index)) - {"pc"})
    if plain.form is Form.JUMP:
        return replace(jump, addressed=frozenset(_names(raw)))
    return replace(jump, sources=frozenset(_names(raw)), target=last.imm & 0xFFFFFFFF)


def _product(raw: CsInsn, plain: Instruction, name: str) -> Instruction:
    names = _names(raw)
    if re.match(r"([us]mull|[us]mlal|umaal|smlsl)", name):  # of 64 bits: the first two registers
        results, factors = names[:2], names[2:]
        accumulated = [] if name.endswith("mull") else results
    else:
        results, factors, accumulated = names[:1], names[1:3] if len(names) > 2 else names, names[3:]
    return replace(
        plain,
        sources=frozenset(factors),
        accumulated=frozenset(accumulated),
        results=frozenset(results) | (FLAGS_ONLY if name == "muls" else NONE),
    )


def _computation(raw: CsInsn, plain: Instruction, name: str) -> Instruction:
    names, form = _names(raw), plain.form
    memory = next((o.mem for o in raw.operands if o.type == ARM_OP_MEM), None)
    if memory is not None:  # pld
        used = frozenset(str(raw.reg_name(r)) for r in (memory.base, memory.index) if r)
        return replace(plain, addressed=used - {"pc"})
    if not names:
        return plain
    writes = name not in NO_RESULT
    results = frozenset(names[:1]) if writes else NONE
    if raw.update_flags or not writes or name == "vmrs":
        results |= FLAGS_ONLY
    if form is Form.FLOAT_MAC:
        return replace(plain, sources=frozenset(names[1:]), accumulated=frozenset(names[:1]), results=results)
    given = names[1:] if writes else names
    if writes and (name in ("movt", "bfi") or (len(names) == 1 and not name.startswith(("mov", "mvn")))):
        given = [*names[:1], *given]  # what it writes it reads too
    form, shifted = _shifting(raw, name, form, given)
    return replace(
        plain, form=form, shifted=frozenset(shifted), sources=frozenset(given) - frozenset(shifted), results=results
    )


def _shifting(raw: CsInsn, name: str, form: Form, given: list[str]) -> tuple[Form, list[str]]:
    """The form with a shifter in front of the ALU told apart, and which registers go through it."""
    last = raw.operands[-1]
    if form in (Form.SIMPLE, Form.ALU):
        if last.type == ARM_OP_REG and last.shift.type:
            return Form.SHIFTED, given[-1:]
        return (Form.SHIFTED if _shifted_constant(raw, name) else form), []
    if form in (Form.REVERSE, Form.FIELD) or name == "pkhtb" or "sat" in name:
        return form, given
    return form, given[-1:] if form is Form.INSERT and name != "bfc" else []


def _shifted_constant(raw: CsInsn, name: str) -> bool:
    """A modified immediate of 8 bits at another place than the lowest; addw, subw and movw take theirs as it is."""
    immediate = raw.operands[-1]
    if raw.size == 2 or name in ("addw", "subw", "movw", "movt") or immediate.type != ARM_OP_IMM:
        return False
    value = immediate.imm & 0xFFFFFFFF
    low, high = value & 0xFF, value >> 8 & 0xFF
    return value not in (low, low * 0x00010001, high * 0x01000100, low * 0x01010101)
