"""What others measured on chips, to hold the cycle models against. Figures and their sources; none of it was fitted."""

from __future__ import annotations

from dataclasses import dataclass

JNK0LE_M7 = "jnk0le/random, cortex_m7.md (STM32H743 rev Y)"
ARM_M4 = "Arm, Cortex-M4 TRM, instruction timing (as in TI SWCU185, load/store timings)"
COMPENDIUM = "compendium.i-0.nl, branch timing (Cortex-M4, DWT)"


@dataclass(frozen=True, slots=True)
class Snippet:
    """A few instructions that follow themselves for ever, and the cycles of one pass."""

    core: str  # of CORES
    rule: str
    text: str  # assembly, a `;` between instructions; labels allowed
    cycles: float
    source: str


@dataclass(frozen=True, slots=True)
class Program:
    """A public program: what it took on a chip, and what the models made of our build of it."""

    core: str
    name: str
    chip: str
    measured: float  # cycles
    instructions: int  # executed, of our build
    estimated: float  # cycles
    source: str


@dataclass(frozen=True, slots=True)
class Ratio:
    """How much faster a public rewrite of a public function is, measured and estimated; its cycles are not published
    where we could read them."""

    core: str
    name: str
    measured: float
    estimated: float
    source: str


SNIPPETS = (
    Snippet("cortex-m7", "independent additions go in pairs", "add r0, r8, r9; add r1, r8, r9", 1, JNK0LE_M7),
    Snippet("cortex-m7", "products chain on their accumulator", "smlad r0, r1, r2, r0", 1, JNK0LE_M7),
    Snippet("cortex-m7", "one product a cycle", "smlad r0, r8, r9, r0; smlad r1, r8, r9, r1", 2, JNK0LE_M7),
    Snippet("cortex-m7", "no product beside a store", "mul r0, r8, r9; str r10, [r11]", 2, JNK0LE_M7),
    Snippet("cortex-m7", "a product beside a load", "smlad r0, r8, r9, r0; ldr r1, [r10]", 1, JNK0LE_M7),
    Snippet(
        "cortex-m7",
        "a word loaded reaches a product one cycle later",
        "ldr r0, [r8]; smlad r1, r0, r9, r1",
        2,
        JNK0LE_M7,
    ),
    Snippet("cortex-m7", "a word loaded reaches an addition next cycle", "ldr r0, [r8]; add r1, r0, r9", 1, JNK0LE_M7),
    Snippet("cortex-m7", "loads of different banks go in pairs", "ldr r0, [r8]; ldr r1, [r8, #4]", 1, JNK0LE_M7),
    Snippet("cortex-m7", "loads of the same bank do not", "ldr r0, [r8]; ldr r1, [r8, #8]", 2, JNK0LE_M7),
    Snippet("cortex-m7", "one store a cycle", "str r10, [r11]; str r10, [r11, #4]", 2, JNK0LE_M7),
    Snippet("cortex-m7", "a store beside a load", "ldr r0, [r8]; str r10, [r11]", 1, JNK0LE_M7),
    Snippet("cortex-m7", "a load of several takes half as many cycles", "ldm r8, {r0, r1, r2, r3}", 2, JNK0LE_M7),
    Snippet("cortex-m7", "a store of several too", "stm r8, {r0, r1, r2, r3}", 2, JNK0LE_M7),
    Snippet("cortex-m7", "one extension a cycle", "sxtb16 r0, r8; sxtb16 r1, r8, ror #8", 2, JNK0LE_M7),
    Snippet("cortex-m7", "an extension before a product", "sxtb16 r0, r8; smlad r1, r8, r9, r1", 1, JNK0LE_M7),
    Snippet("cortex-m7", "one shifted operand a cycle", "add r0, r8, r9, lsl #3; add r1, r8, r9, lsl #3", 2, JNK0LE_M7),
    Snippet("cortex-m7", "movw and movt of one register go together", "movw r0, #1; movt r0, #1", 1, JNK0LE_M7),
    Snippet(
        "cortex-m7", "an addition feeds the ALU behind it in its cycle", "add r0, r8, r9; eor r1, r0, r10", 1, JNK0LE_M7
    ),
    Snippet(
        "cortex-m7",
        "three vfma in turn",
        "vfma.f32 s0, s10, s11; vfma.f32 s1, s10, s11; vfma.f32 s2, s10, s11",
        3,
        JNK0LE_M7,
    ),
    Snippet("cortex-m4", "two loads take three cycles", "ldr r0, [r1]; ldr r2, [r3]; add r4, r5, r6", 4, ARM_M4),
    Snippet(
        "cortex-m4", "a load and a store take three", "ldr r0, [r1, r2]; str r0, [r3, #20]; add r4, r5, r6", 4, ARM_M4
    ),
    Snippet(
        "cortex-m4",
        "three loads take four",
        "ldr r0, [r1, r5]; ldr r7, [r2]; ldr r8, [r3, #4]; add r4, r5, r6",
        5,
        ARM_M4,
    ),
    Snippet(
        "cortex-m4", "an address just computed costs a cycle", "add r1, r2, r3; ldr r0, [r1]; add r4, r5, r6", 5, ARM_M4
    ),
    Snippet("cortex-m4", "a load of several: one more than they are", "ldm r8, {r0, r1, r2, r3}", 5, ARM_M4),
    Snippet("cortex-m4", "products take one cycle", "smlad r0, r1, r2, r0; smull r3, r4, r1, r2", 2, ARM_M4),
    Snippet(
        "cortex-m4",
        "a branch taken takes two cycles",
        "1: adds r0, r0, r2; subs r1, #1; cmp r1, #0; bne 1b",
        5,
        COMPENDIUM,
    ),
    Snippet(
        "cortex-m4",
        "three if a wide instruction lies across two words there",
        "nop; 1: mul r0, r1, r2; subs r1, #1; cmp r1, #0; bne 1b",
        6,
        COMPENDIUM,
    ),
)

_TINYENGINE = (
    "mit-han-lab/tinyengine README (51 and 234 ms, rounded to 1 ms), clock and caches: issue 23; its code, built with "
    "gcc 12.2 -Ofast, for mcunet-vww2 with other weights, which change no count"
)
_PQM4 = "mupq/pqm4 benchmarks.csv (24 MHz, flash without wait states, gcc 11.3 -O3); built with gcc 12.2 -O3"
PROGRAMS = (
    Program(
        "cortex-m7", "TinyEngine, mcunet-vww1", "STM32H743, 480 MHz", 0.051 * 480e6, 33_454_880, 24_488_515, _TINYENGINE
    ),
    Program(
        "cortex-m7",
        "TinyEngine, mcunet-vww2",
        "STM32H743, 480 MHz",
        0.234 * 480e6,
        155_382_022,
        112_244_651,
        _TINYENGINE,
    ),
    Program("cortex-m4", "ML-KEM-512 m4fspeed, key pair", "STM32, 24 MHz", 392_423, 349_960, 384_458, _PQM4),
    Program("cortex-m4", "ML-KEM-512 m4fspeed, encapsulation", "STM32, 24 MHz", 390_881, 347_392, 383_953, _PQM4),
    Program("cortex-m4", "ML-KEM-512 m4fspeed, decapsulation", "STM32, 24 MHz", 428_167, 377_455, 420_112, _PQM4),
    Program("cortex-m4", "ML-KEM-768 m4fspeed, key pair", "STM32, 24 MHz", 642_096, 566_639, 625_518, _PQM4),
    Program("cortex-m4", "ML-KEM-768 m4fspeed, encapsulation", "STM32, 24 MHz", 658_754, 581_148, 642_854, _PQM4),
    Program("cortex-m4", "ML-KEM-768 m4fspeed, decapsulation", "STM32, 24 MHz", 707_827, 620_598, 690_499, _PQM4),
)

_SLOTHY = "IACR ePrint 2025/366, abstract (STM32 with Cortex-M7); code: slothy-optimizer/slothy, examples/*/armv7m"
RATIOS = (
    Ratio("cortex-m7", "ML-KEM's NTT, written for the M4 to scheduled for the M7", 1.69, 4832 / 2932, _SLOTHY),
    Ratio("cortex-m7", "Keccak-f1600, written for the M4 to scheduled for the M7", 1.30, 6649 / 4873, _SLOTHY),
    Ratio("cortex-m7", "Keccak-f1600, by hand for the M7 to scheduled", 1.05, 5229 / 4873, _SLOTHY),
)
