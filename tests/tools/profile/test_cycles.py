"""Blocks that ran, weighed by what came before them."""

from __future__ import annotations

import shutil

import pytest

from tessera.profile.cortex_m4 import CortexM4
from tessera.profile.cortex_m7 import MISPREDICTED, CortexM7
from tessera.profile.cycles import Ran, estimate
from tessera.profile.snippets import assemble

pytestmark = pytest.mark.skipif(shutil.which("arm-none-eabi-as") is None, reason="no Arm assembler")


def test_a_loop_costs_its_passes_and_its_branches() -> None:
    loop = assemble("1: subs r0, #1; bne 1b")
    ran = [Ran(loop, count=1000, left=999)]
    # subs 1, bne 1, and 1 more for each that is taken
    assert estimate(CortexM4, ran) == (2999.0,)
    # both go together, once a cycle; the last one is not foreseen, right behind what sets its flags
    assert estimate(CortexM7, ran) == (1000.0 + MISPREDICTED,)


def test_what_a_block_waits_for_depends_on_the_block_before() -> None:
    code = assemble("ldr r0, [r8]; beq 1f; smlad r1, r0, r9, r1; 1: nop")
    before, after = code[:2], code[2:3]
    cold = estimate(CortexM7, [Ran(after, 1, 0)])
    warm = estimate(CortexM7, [Ran(before, 1, 0), Ran(after, 1, 0)])
    assert warm[1] > cold[0]


def test_a_block_that_two_others_lead_to_is_weighed() -> None:
    code = assemble("ldr r0, [r8]; b 1f; add r2, r3, r4; 1: smlad r1, r0, r9, r1")
    waits, other, product = code[:2], code[2:3], code[3:]
    (only_waits,) = estimate(CortexM7, [Ran(waits, 10, 10), Ran(product, 10, 0)])[1:]
    (only_other,) = estimate(CortexM7, [Ran(other, 10, 0), Ran(product, 10, 0)])[1:]
    (both,) = estimate(CortexM7, [Ran(waits, 5, 5), Ran(other, 5, 0), Ran(product, 10, 0)])[2:]
    assert only_waits != only_other
    assert both == pytest.approx((only_waits + only_other) / 2)


def test_cycles_are_additive_over_regions() -> None:
    loop = assemble("1: ldr r1, [r2], #4; smlad r3, r1, r1, r3; subs r0, #1; bne 1b")
    for core in (CortexM4, CortexM7):
        (twice,) = estimate(core, [Ran(loop, 2000, 2000)])
        (once,) = estimate(core, [Ran(loop, 1000, 1000)])
        assert twice == pytest.approx(2 * once)
