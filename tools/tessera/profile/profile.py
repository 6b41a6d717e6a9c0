"""A trace attributed to steps, kernels and functions: instructions counted, cycles estimated."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tessera.kernels.call import Step
from tessera.profile.cortex_m4 import CortexM4
from tessera.profile.cortex_m7 import CortexM7
from tessera.profile.cycles import Code, Pipeline, Ran, estimate
from tessera.profile.decode import Kind, decoder
from tessera.profile.trace import Accesses, Block, Trace

CORES: Mapping[str, type[Pipeline]] = {"cortex-m4": CortexM4, "cortex-m7": CortexM7}
ELSEWHERE = "(no symbol)"


@dataclass(frozen=True, slots=True)
class Tally:
    """Executed instructions by kind, and what they would take on each of CORES; memory without wait states."""

    instructions: int = 0
    kinds: Mapping[Kind, int] = field(default_factory=dict)
    taken: int = 0  # jumps that were
    unaligned: int = 0  # accesses that were
    cycles: Mapping[str, float] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        return self._with(other, 1)

    def __sub__(self, other: Tally) -> Tally:
        return self._with(other, -1)

    def _with(self, other: Tally, sign: int) -> Tally:
        return Tally(
            self.instructions + sign * other.instructions,
            {k: self.kinds.get(k, 0) + sign * other.kinds.get(k, 0) for k in Kind},
            self.taken + sign * other.taken,
            self.unaligned + sign * other.unaligned,
            {c: self.cycles.get(c, 0.0) + sign * other.cycles.get(c, 0.0) for c in CORES},
        )


@dataclass(frozen=True, slots=True)
class Part:
    """A step, or the engine between them: what it executed, by function, the most first."""

    functions: tuple[tuple[str, Tally], ...]
    total: Tally
    loads: tuple[int, ...]  # accesses of each memory
    stores: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StepProfile:
    part: Part
    stack_bytes: int  # from the stack's upper end to the lowest byte in use
    operator: str
    kind: str
    kernel: str
    macs: int


@dataclass(frozen=True, slots=True)
class Profile:
    """One inference without the hook that marks steps: `engine` is all that is not in a step."""

    memories: tuple[str, ...]
    steps: tuple[StepProfile, ...]
    engine: Part
    total: Tally
    stack_bytes: int

    def kernels(self) -> dict[str, tuple[int, int, Tally]]:
        """By kernel: steps, MACs, what they executed; the most first."""
        found: dict[str, tuple[int, int, Tally]] = {}
        for step in self.steps:
            count, macs, tally = found.get(step.kernel, (0, 0, Tally()))
            found[step.kernel] = (count + 1, macs + step.macs, tally + step.part.total)
        return dict(sorted(found.items(), key=lambda item: -item[1][2].instructions))


def make_profile(trace: Trace, steps: Sequence[Step]) -> Profile:
    """`steps`: the model's, in the order of the trace's."""
    assert len(steps) == trace.steps
    decode = decoder()
    codes = [decode(b.code, b.address) for b in trace.blocks]
    names = function_names(trace)
    callers = {name for name, b in zip(names, trace.blocks, strict=True) if b.calls}
    regions = [_by_function(trace.blocks, codes, names, region) for region in range(len(trace.regions))]
    inside = [{f: t for f, t in regions[s].items() if f not in callers} for s in range(trace.steps)]
    parts = [_part(own, trace.regions[s]) for s, own in enumerate(inside)]
    engine = _engine(trace, regions[trace.whole], parts)
    return Profile(
        memories=trace.memories,
        steps=tuple(
            StepProfile(part, trace.regions[n].stack_bytes, step.op, step.kind, step.symbol, step.macs)
            for n, (part, step) in enumerate(zip(parts, steps, strict=True))
        ),
        engine=engine,
        total=sum((p.total for p in parts), engine.total),
        stack_bytes=trace.regions[trace.whole].stack_bytes,
    )


def function_names(trace: Trace) -> list[str]:
    """Of each block, the function that it belongs to."""
    begins = [f.begin for f in trace.functions]
    names = []
    for block in trace.blocks:
        at = bisect_right(begins, block.address) - 1
        inside = at >= 0 and block.address < trace.functions[at].end
        names.append(trace.functions[at].name if inside else ELSEWHERE)
    return names


def _by_function(blocks: Sequence[Block], codes: Sequence[Code], names: Sequence[str], region: int) -> dict[str, Tally]:
    ran = [
        (name, b.runs[region].unaligned, Ran(code, b.runs[region].count, b.runs[region].left))
        for b, code, name in zip(blocks, codes, names, strict=True)
        if region in b.runs
    ]
    cycles = {c: estimate(model, [r for _, _, r in ran]) for c, model in CORES.items()}
    found: dict[str, Tally] = defaultdict(Tally)
    for n, (name, unaligned, r) in enumerate(ran):
        kinds: dict[Kind, int] = defaultdict(int)
        for i in r.code:
            kinds[i.kind] += r.count
        found[name] += Tally(
            r.count * len(r.code),
            kinds,
            r.left if r.code[-1].jumps else 0,
            unaligned,
            {c: cycles[c][n] + unaligned * model.unaligned_cycles for c, model in CORES.items()},
        )
    return found


def _part(functions: Mapping[str, Tally], accesses: Accesses) -> Part:
    ordered = tuple(sorted(functions.items(), key=lambda item: (-item[1].instructions, item[0])))
    return Part(ordered, sum((t for _, t in ordered), Tally()), accesses.loads, accesses.stores)


def _engine(trace: Trace, whole: Mapping[str, Tally], parts: Iterable[Part]) -> Part:
    """What the run without a hook executed and the steps did not."""
    left = dict(whole)
    loads, stores = list(trace.regions[trace.whole].loads), list(trace.regions[trace.whole].stores)
    for part in parts:
        for name, tally in part.functions:
            left[name] = left.get(name, Tally()) - tally
        for n in range(len(trace.memories)):
            loads[n] -= part.loads[n]
            stores[n] -= part.stores[n]
    rest = {name: tally for name, tally in left.items() if tally.instructions > 0}
    # a step's accesses include those of calling the hook, which this run has not
    clipped = Accesses(tuple(max(n, 0) for n in loads), tuple(max(n, 0) for n in stores), 0)
    return _part(rest, clipped)
