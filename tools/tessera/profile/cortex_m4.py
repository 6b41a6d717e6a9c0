"""What a Cortex-M4 would take, estimated. Rules and their sources: docs/cycle_model.md."""

from __future__ import annotations

from tessera.profile.decode import LOADS, NONE, STORES, Form, Instruction

REFILL = 1
"""Cycles beside its own of a branch that is taken."""
REFILL_BLIND = 2
"""The same where the address is not known before the branch executes: pop, ldr to pc, tbb."""
DIVIDE = 7  # 2 to 12, as the operands are
FIXED = {Form.DIVIDE: DIVIDE, Form.FLOAT_DIVIDE: 14, Form.FLOAT_MAC: 3, Form.TABLE: 3}
UNALIGNED = 1  # cycles of an access that straddles words, beside its own

LOAD_ONE = frozenset({Form.LOAD, Form.LOAD_NARROW})
COMPUTED = frozenset(Form) - LOADS - STORES


class CortexM4:
    """In order, one instruction at a time; what matters is what follows what."""

    name = "Cortex-M4"
    unaligned_cycles = float(UNALIGNED)

    def __init__(self) -> None:
        self.now = 0.0
        self._forget()

    def _forget(self) -> None:
        self._data_phase = False  # of a load, which a next load hides
        self._loaded = NONE  # registers that the load before fills
        self._stored = False  # the instruction before was a store
        self._computed = NONE  # registers that the instruction before computed
        self._narrow = False  # the instruction before has 16 bits
        self._wide = 0  # 32-bit instructions in a row that straddle words

    def issue(self, i: Instruction) -> None:
        hides = i.form in LOAD_ONE and not (i.addressed & self._loaded)
        if self._data_phase and not hides and i.form is not Form.NOP:
            self.now += 1
        if self._stored and i.form in LOADS:
            self.now += 1
        if i.addressed & self._computed and (i.form in LOADS or i.form in STORES):
            self.now += 1
        self._fetch(i)
        self.now += self._own_cycles(i)
        self._data_phase = i.form in LOAD_ONE
        self._loaded = i.results if self._data_phase else NONE
        self._stored = i.form in STORES
        self._computed = i.results if i.form in COMPUTED else NONE
        self._narrow = i.size == 2

    def take(self, i: Instruction, target: Instruction | None) -> None:
        """The jump `i`, just issued, is taken; `target` is the instruction there, where known."""
        blind = i.form is Form.TABLE or i.form in LOADS
        straddles = target is not None and target.size == 4 and target.address % 4 != 0
        self.now += (REFILL_BLIND if blind else REFILL) + (1 if straddles else 0)
        if self._data_phase:
            self.now += 1
        self._forget()

    def mispredicted(self) -> float:
        """Cycles of a conditional branch that went another way than usual, beside those of taking it."""
        return 0.0

    def _own_cycles(self, i: Instruction) -> int:
        if i.form in FIXED:
            return FIXED[i.form]
        if i.form in (Form.LOAD_MANY, Form.STORE_MANY):
            return 1 + i.words
        if i.form in STORES and i.indexed:
            return 2
        if i.form is Form.PREDICATE and self._narrow:
            return 0  # folded into the instruction before
        return 1

    def _fetch(self, i: Instruction) -> None:
        """A third 32-bit instruction in a row that straddles words waits for the words to come."""
        straddles = i.size == 4 and i.address % 4 != 0
        self._wide = self._wide + 1 if straddles else 0
        if self._wide == 3:
            self.now += 1
