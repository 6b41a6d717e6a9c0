"""What a Cortex-M7 would take, estimated. Rules and their sources: docs/cycle_model.md."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.profile.decode import FLAGS, LOADS, STORES, Form, Instruction

DIVIDE = 7  # 2 to 12, as the operands are
FLOAT_DIVIDE = 15
MISPREDICTED, MISPREDICTED_EARLY = 8, 6
"""Cycles of a branch that goes the other way; fewer where its flags were set EARLY cycles before or more."""
EARLY = 3
UNALIGNED = 3  # cycles of an access that straddles words, beside its own

# stages, counted from the one in which addresses are formed and operands shifted
ADDRESS, ALU, ACCUMULATE, STORE = 0, 1, 2, 3

ALONE = frozenset({Form.LOAD_MANY, Form.STORE_MANY, Form.DIVIDE, Form.FLOAT_DIVIDE, Form.TABLE, Form.SYSTEM})
OLDER_ONLY = frozenset({Form.REVERSE, Form.FIELD, Form.INSERT, Form.EXTEND, Form.SIMD, Form.SATURATE})
USES_SHIFTER = frozenset({Form.REVERSE, Form.FIELD, Form.INSERT, Form.SHIFTED})
STORE_ONE = frozenset({Form.STORE, Form.STORE_NARROW})
LOAD_ONE = frozenset({Form.LOAD, Form.LOAD_NARROW})
FLOATS = frozenset({Form.FLOAT, Form.FLOAT_MAC})
RESULT = {
    Form.MULTIPLY: 3,
    Form.LOAD: 2,
    Form.LOAD_NARROW: 3,
    Form.SATURATE: 3,
    Form.FLOAT: 4,
    Form.FLOAT_MAC: 6,
}
"""The stage in whose beginning a result is there, if not two: an ALU's."""


@dataclass(frozen=True, slots=True)
class Ready:
    """When a register is there: for the ALU's stage and those behind it, and for the stage before."""

    late: int
    early: int
    from_load: bool = False  # of a word, which multipliers get a cycle later


class CortexM7:
    """In order, two at a time where they may go together."""

    name = "Cortex-M7"
    unaligned_cycles = float(UNALIGNED)

    def __init__(self) -> None:
        self._cycle = 0
        self._older: Instruction | None = None  # issued in this cycle
        self._ready: dict[str, Ready] = {}
        self._flags_set = -EARLY
        self._flags_used = 0

    @property
    def now(self) -> float:
        return self._cycle + (0.5 if self._older is not None else 0.0)

    def issue(self, i: Instruction) -> None:
        start = max(self._cycle, self._operands_there(i))
        if start > self._cycle or (self._older is not None and not _go_together(self._older, i)):
            start = max(start, self._cycle + (1 if self._older is not None else 0))
            self._older = None
        self._cycle = start
        self._write(i, start)
        if i.conditional:
            self._flags_used = start
        if i.form in ALONE:
            self._cycle, self._older = start + _own_cycles(i), None
        elif self._older is not None:
            self._cycle, self._older = start + 1, None
        else:
            self._older = i

    def take(self, i: Instruction, target: Instruction | None) -> None:  # noqa: ARG002
        """The jump just issued is taken: what comes there begins a cycle."""
        if self._older is not None:
            self._cycle, self._older = self._cycle + 1, None

    def mispredicted(self) -> float:
        """Cycles of a conditional branch, just issued, that went another way than usual."""
        return MISPREDICTED_EARLY if self._flags_used - self._flags_set >= EARLY else MISPREDICTED

    def _operands_there(self, i: Instruction) -> int:
        """The first cycle in which it can be issued. Branches are predicted: they wait for nothing."""
        if i.form in (Form.BRANCH, Form.JUMP):
            return 0
        first = 0
        for register in i.addressed | i.shifted:
            first = max(first, self._there(register).early - ADDRESS)
        for register in i.sources:
            there = self._there(register)
            late = there.late + (1 if there.from_load and i.form is Form.MULTIPLY else 0)
            first = max(first, late - ALU)
        for register in i.accumulated:
            first = max(first, self._there(register).late - (STORE if i.form in FLOATS else ACCUMULATE))
        for register in i.stored:
            first = max(first, self._there(register).late - STORE)
        return first

    def _there(self, register: str) -> Ready:
        return self._ready.get(register, Ready(0, 0))

    def _write(self, i: Instruction, start: int) -> None:
        at = start + RESULT.get(i.form, 2)
        ready = Ready(at, at, from_load=i.form is Form.LOAD)
        if i.form is Form.REVERSE:
            ready = Ready(start + 1, start + 2)
        elif self._in_early_alu(i, start):
            ready = Ready(start + 1, start + 1)
        elif i.form in (Form.DIVIDE, Form.FLOAT_DIVIDE):
            ready = Ready(start + _own_cycles(i) + 1, start + _own_cycles(i) + 1)
        for register in i.results:
            self._ready[register] = ready
        for n, register in enumerate(i.order):
            there = start + n // 2 + 2
            self._ready[register] = Ready(there, there)
        for register in i.updated:
            self._ready[register] = Ready(start + 1, start + 1)
        if FLAGS in i.results:
            self._ready[FLAGS] = Ready(start + 2, start + 2)
            self._flags_set = start

    def _in_early_alu(self, i: Instruction, start: int) -> bool:
        """The first of the two ALUs takes what has its operands in time."""
        if i.form is Form.SIMPLE:
            free = self._older is None
        elif i.form is Form.SHIFT:
            free = self._older is None or self._older.form not in USES_SHIFTER
        else:
            return False
        return free and all(self._there(r).early <= start for r in i.sources)


def _own_cycles(i: Instruction) -> int:
    """Of one that is issued alone."""
    if i.form in LOADS or i.form in STORES:
        return (i.words + 1) // 2
    return {Form.DIVIDE: DIVIDE, Form.FLOAT_DIVIDE: FLOAT_DIVIDE, Form.TABLE: 2}.get(i.form, 1)


def _go_together(older: Instruction, younger: Instruction) -> bool:
    forms = (older.form, younger.form)
    if older.form in ALONE or younger.form in ALONE or younger.form in OLDER_ONLY:
        return False
    if older.form in STORE_ONE and younger.form in STORE_ONE:
        return False
    if Form.MULTIPLY in forms and (forms[0] is forms[1] or older.form in STORE_ONE or younger.form in STORE_ONE):
        return False
    if older.form in USES_SHIFTER and younger.form in USES_SHIFTER:
        return False
    if older.form in FLOATS and younger.form in FLOATS:
        return False
    if older.jumps and younger.jumps:
        return False
    return not (older.form in LOAD_ONE and younger.form in LOAD_ONE and _same_bank(older, younger))


def _same_bank(older: Instruction, younger: Instruction) -> bool:
    """Even and odd words lie in two banks. Of addresses with different bases nothing is known: assumed to be apart."""
    known = older.base == younger.base != "" and not older.updated
    return known and older.offset // 4 % 2 == younger.offset // 4 % 2
