"""The blocks of instructions that take the most, one instruction a line."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.profile.cycles import STEADY, Code, Pipeline, Ran, estimate
from tessera.profile.decode import decoder
from tessera.profile.profile import CORES, function_names
from tessera.profile.trace import Trace


@dataclass(frozen=True, slots=True)
class HotLine:
    text: str
    cycles: tuple[float, ...]  # estimated, of each of CORES: what the block takes longer with this one


@dataclass(frozen=True, slots=True)
class HotBlock:
    function: str
    address: int
    count: int  # of its runs
    taken: int  # of them, those after which the jump at its end was taken
    cycles: tuple[float, ...]  # estimated, all runs
    lines: tuple[HotLine, ...]


def hot_blocks(trace: Trace, core: str, most: int) -> tuple[HotBlock, ...]:
    """Of a whole run, those with the most estimated cycles of `core`."""
    decode = decoder()
    names = function_names(trace)
    ran = [
        (name, Ran(decode(b.code, b.address), b.runs[trace.whole].count, b.runs[trace.whole].left))
        for name, b in zip(names, trace.blocks, strict=True)
        if trace.whole in b.runs
    ]
    cycles = [estimate(model, [r for _, r in ran]) for model in CORES.values()]
    by = list(CORES).index(core)
    order = sorted(range(len(ran)), key=lambda n: (-cycles[by][n], ran[n][1].code[0].address))
    return tuple(
        HotBlock(
            ran[n][0],
            ran[n][1].code[0].address,
            ran[n][1].count,
            ran[n][1].left,
            tuple(each[n] for each in cycles),
            _lines(ran[n][1].code),
        )
        for n in order[:most]
    )


def _lines(code: Code) -> tuple[HotLine, ...]:
    each = [_each(model, code) for model in CORES.values()]
    return tuple(HotLine(i.text, cycles) for i, cycles in zip(code, zip(*each, strict=True), strict=True))


def _each(model: type[Pipeline], code: Code) -> list[float]:
    """After passes before it where the block is a loop, else after anything."""
    core, last = model(), code[-1]
    loops = last.target == code[0].address
    for _ in range(STEADY if loops else 0):
        for i in code:
            core.issue(i)
        core.take(last, code[0])
    found = []
    for i in code:
        before = core.now
        core.issue(i)
        found.append(core.now - before)
    return found
