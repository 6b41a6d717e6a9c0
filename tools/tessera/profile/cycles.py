"""Estimated cycles of blocks that ran: each after what came before it, as often as it did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tessera.profile.decode import Instruction

STEADY = 4
"""Passes of a loop after which each costs the same."""


class Pipeline(Protocol):
    """A core that is given one instruction after the other."""

    name: str
    unaligned_cycles: float

    @property
    def now(self) -> float: ...

    def issue(self, i: Instruction) -> None: ...

    def take(self, i: Instruction, target: Instruction | None) -> None:
        """The jump just issued is taken."""

    def mispredicted(self) -> float:
        """What it costs when the branch just issued goes another way than usual."""
        ...


Code = tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """Cycles of one pass: always, more if its last instruction is a jump and taken, more if that was not foreseen."""

    straight: float
    taken: float
    mispredicted: float


@dataclass(frozen=True, slots=True)
class Ran:
    """A block in a region."""

    code: Code
    count: int
    left: int  # of them, those after which the jump at its end was taken


def block_cost(
    model: type[Pipeline], before: Sequence[Code], taken: bool, code: Code, target: Instruction | None
) -> Cost:
    """One pass of `code` after the blocks `before`, by a jump or by falling through; `target`: where its jump goes."""
    core = model()
    for n, earlier in enumerate(before):
        for i in earlier:
            core.issue(i)
        if taken or n + 1 < len(before):
            core.take(earlier[-1], code[0])
    start = core.now
    for i in code:
        core.issue(i)
    end, wrong = core.now, core.mispredicted()
    if not code[-1].jumps:
        return Cost(end - start, 0.0, 0.0)
    core.take(code[-1], target)
    return Cost(end - start, core.now - end, wrong if code[-1].conditional else 0.0)


def estimate(model: type[Pipeline], blocks: Sequence[Ran]) -> tuple[float, ...]:
    """Cycles of each block of a region, all its runs."""
    by_address = {b.code[0].address: b.code[0] for b in blocks}
    falling: dict[int, list[Ran]] = {}
    jumping: dict[int, list[Ran]] = {}
    for b in blocks:
        last = b.code[-1]
        if b.count > b.left:
            falling.setdefault(last.end, []).append(b)
        if b.left and last.target is not None:
            jumping.setdefault(last.target, []).append(b)
    memo: dict[tuple[int, ...], Cost] = {}
    return tuple(
        _of_block(model, b, falling.get(b.code[0].address, ()), jumping.get(b.code[0].address, ()), by_address, memo)
        for b in blocks
    )


def _of_block(
    model: type[Pipeline],
    block: Ran,
    falling: Iterable[Ran],
    jumping: Iterable[Ran],
    by_address: dict[int, Instruction],
    memo: dict[tuple[int, ...], Cost],
) -> float:
    last = block.code[-1]
    target = by_address.get(last.target) if last.target is not None else None
    ways: list[tuple[int, tuple[Code, ...], bool]] = [(b.count - b.left, (b.code,), False) for b in falling]
    ways += [(b.left, (b.code,) * (STEADY if b is block else 1), True) for b in jumping]
    known = sum(weight for weight, _, _ in ways)
    if known < block.count:
        ways.append((block.count - known, (), True))  # from a call or a return: after anything
    total = sum(weight for weight, _, _ in ways)
    cycles = 0.0
    for weight, before, taken in ways:
        key = (id(block.code), len(before), id(before[0]) if before else 0, int(taken))
        if key not in memo:
            memo[key] = block_cost(model, before, taken, block.code, target)
        cost = memo[key]
        wrong = min(block.left, block.count - block.left) * cost.mispredicted
        cycles += weight / total * (block.count * cost.straight + block.left * cost.taken + wrong)
    return cycles
