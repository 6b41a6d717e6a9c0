"""What the cycle models are told of an instruction: which registers it needs when, and what it writes."""

from __future__ import annotations

import shutil

import pytest

from tessera.profile.decode import FLAGS, Form, Instruction, Kind
from tessera.profile.snippets import assemble

pytestmark = pytest.mark.skipif(shutil.which("arm-none-eabi-as") is None, reason="no Arm assembler")


def one(text: str) -> Instruction:
    (instruction,) = assemble(text)
    return instruction


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("adds r0, #1", Form.SIMPLE),
        ("movw r0, #4660", Form.SIMPLE),
        ("addw r0, r1, #4080", Form.SIMPLE),
        ("add.w r0, r1, #4080", Form.SHIFTED),
        ("eor r0, r1, #0x1b1b1b1b", Form.ALU),
        ("eor r0, r1, r2, ror #3", Form.SHIFTED),
        ("cmp r0, r1", Form.ALU),
        ("lsls r0, r1, #3", Form.SHIFT),
        ("ubfx r0, r1, #3, #4", Form.FIELD),
        ("pkhbt r0, r1, r2, lsl #16", Form.INSERT),
        ("sxtb16 r0, r1, ror #8", Form.EXTEND),
        ("sadd16 r0, r1, r2", Form.SIMD),
        ("ssat r0, #8, r1, asr #3", Form.SATURATE),
        ("rev r0, r1", Form.REVERSE),
        ("smlad r0, r1, r2, r3", Form.MULTIPLY),
        ("smmulr r0, r1, r2", Form.MULTIPLY),
        ("smlabt r0, r1, r2, r3", Form.MULTIPLY),
        ("umull r0, r1, r2, r3", Form.MULTIPLY),
        ("sdiv r0, r1, r2", Form.DIVIDE),
        ("ldr r0, [r1, r2, lsl #2]", Form.LOAD),
        ("ldrsb r0, [r1], #1", Form.LOAD_NARROW),
        ("ldrd r0, r1, [r2]", Form.LOAD_MANY),
        ("pop {r4, pc}", Form.LOAD_MANY),
        ("strh r0, [r1]", Form.STORE_NARROW),
        ("push {r4, lr}", Form.STORE_MANY),
        ("bx lr", Form.JUMP),
        ("tbb [pc, r0]", Form.TABLE),
        ("vfma.f32 s0, s1, s2", Form.FLOAT_MAC),
        ("vadd.f32 s0, s1, s2", Form.FLOAT),
        ("vldr s0, [r0]", Form.LOAD),
        ("nop", Form.NOP),
    ],
)
def test_forms(text: str, form: Form) -> None:
    assert one(text).form is form


def test_kinds() -> None:
    kinds = {
        text: one(text).kind for text in ("ldrb r0, [r1]", "stm r0, {r1, r2}", "bx lr", "smlad r0, r1, r2, r0", "nop")
    }
    assert list(kinds.values()) == [Kind.LOAD, Kind.STORE, Kind.BRANCH, Kind.MULTIPLY, Kind.OTHER]


def test_a_product_has_factors_and_what_it_is_added_to() -> None:
    smlad = one("smlad r0, r1, r2, r3")
    assert (smlad.sources, smlad.accumulated, smlad.results) == ({"r1", "r2"}, {"r3"}, {"r0"})
    smlald = one("smlald r0, r1, r2, r3")
    assert (smlald.sources, smlald.accumulated, smlald.results) == ({"r2", "r3"}, {"r0", "r1"}, {"r0", "r1"})
    smull = one("smull r0, r1, r2, r3")
    assert (smull.sources, smull.accumulated) == ({"r2", "r3"}, set())


def test_accesses_tell_address_data_and_what_they_update() -> None:
    load = one("ldr r0, [r1], #4")
    assert (load.addressed, load.results, load.updated, load.offset) == ({"r1"}, {"r0"}, {"r1"}, 0)
    pre = one("ldr r0, [r1, #4]!")
    assert (pre.updated, pre.offset) == ({"r1"}, 4)
    store = one("strb r0, [r1, r2]")
    assert (store.addressed, store.stored, store.indexed, store.results) == ({"r1", "r2"}, {"r0"}, True, set())
    pair = one("ldrd r0, r1, [r2, #8]")
    assert (pair.order, pair.words, pair.base, pair.offset) == (("r0", "r1"), 2, "r2", 8)
    several = one("ldm r0!, {r1, r2, r3}")
    assert (several.order, several.words, several.updated) == (("r1", "r2", "r3"), 3, {"r0"})
    assert one("vpush {d8}").words == 2


def test_what_is_shifted_is_needed_early() -> None:
    add = one("add r0, r1, r2, asr #31")
    assert (add.sources, add.shifted) == ({"r1"}, {"r2"})
    pack = one("pkhbt r0, r1, r2, lsl #16")
    assert (pack.sources, pack.shifted) == ({"r1"}, {"r2"})
    assert one("ssat r0, #8, r1").shifted == {"r1"}


def test_what_is_written_in_part_is_read() -> None:
    assert one("movt r0, #1").sources == {"r0"}
    assert one("bfi r0, r1, #3, #4").sources == {"r0"}
    assert one("adds r0, #1").sources == {"r0"}


def test_flags_are_a_register() -> None:
    assert FLAGS in one("subs r0, #1").results
    assert FLAGS in one("cmp r0, r1").results
    assert FLAGS in one("adc r0, r1, r2").sources
    _, moved = assemble("it eq; moveq r0, r1")
    assert FLAGS in moved.sources


def test_jumps_know_where_they_go_and_whether_they_must() -> None:
    loop = assemble("1: subs r0, #1; bne 1b")[-1]
    assert (loop.jumps, loop.conditional, loop.target) == (True, True, 0)
    call = one("1: bl 1b")
    assert (call.jumps, call.conditional, call.results) == (True, False, {"lr"})
    assert one("pop {r4, pc}").jumps
    assert not one("pop {r4, r5}").jumps
