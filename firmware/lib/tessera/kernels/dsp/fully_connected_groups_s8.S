@ Fully connected layers: one row of input, 4 output channels at a time, or 1 (fully_connected_groups_s8.h).
@
@ Weight words V and input words X0, X1 are those of gemm_s8.S. A chunk's sum comes out as 256 times the dot product plus
@ 127*sum(w1 + w3): the generator lets it start from the byte that makes this a multiple of 256, and takes what is then
@ too much from the bias. So a bias may have 32 bits, and only the products of a chunk must stay in 24.

#include "assembly.h"

        .equ    BIAS, 0
        .equ    MULTIPLIER, 4
        .equ    SHIFT, 8
        .equ    OUT, 12
        .equ    OUT_END, 16
        .equ    REQUANT_STEP, 20
        .equ    OFFSET, 24
        .equ    X, 28
        .equ    X_END, 32
        .equ    CHUNK_BYTES, 36
        .equ    LAST, 40
        .equ    LAST_END, 44
        .equ    SUMS, 48

        .macro  EXPAND expanded                @ the next word of x in r12 as X0 in r1 and X1 in r2
        .if \expanded
        ldrd    r1, r2, [r12], #8
        .else
        ldr     r2, [r12], #4
        sxtb16  r1, r2
        eor     r2, r2, #0x007f007f
        .endif
        .endm

        .macro  PRODUCTS channels              @ a word's weights from r0; sums from r4 on
        .if \channels == 4
        ldm     r0!, {r8-r11}
        smlad   r4, r8, r1, r4
        smlad   r5, r9, r1, r5
        smlad   r6, r10, r1, r6
        smlad   r7, r11, r1, r7
        sxtb16  r8, r8
        sxtb16  r9, r9
        sxtb16  r10, r10
        sxtb16  r11, r11
        smlad   r4, r8, r2, r4
        smlad   r5, r9, r2, r5
        smlad   r6, r10, r2, r6
        smlad   r7, r11, r2, r7
        .else
        ldr     r8, [r0], #4
        smlad   r4, r8, r1, r4
        sxtb16  r8, r8
        smlad   r4, r8, r2, r4
        .endif
        .endm

        .macro  STEP channels, expanded
        EXPAND  \expanded
        PRODUCTS \channels
        .endm

        .macro  LAST_PRODUCT sum               @ with the byte of input in r1
        ldrsb   r8, [r0], #1
        mla     \sum, r8, r1, \sum
        .endm

@ (sum * multiplier + (zero point and one half) * 2^(32 + shift)) >> (32 + shift): r8 multiplier, r9 shift, r10 k
        .macro  SCALE sum
        smmla   \sum, \sum, r8, r10
        asr     \sum, \sum, r9
        ssat    \sum, #8, \sum
        .endm

        .macro  LOAD_SCALE                     @ of a channel; r1 multipliers, r2 shifts, lr offset
        ldr     r8, [r1]
        ldrsb   r9, [r2]
        sub     r10, r9, #1
        lsl     r10, lr, r10
        .endm

        .macro  OWN_SCALE sum                  @ r12 step
        LOAD_SCALE
        add     r1, r1, r12, lsl #2
        add     r2, r2, r12
        SCALE   \sum
        .endm

        .macro  EACH channels, what            @ for the sum of each channel
        \what   r4
        .if \channels == 4
        \what   r5
        \what   r6
        \what   r7
        .endif
        .endm

        .macro  GROUPS name, channels, expanded
        FUNCTION \name
        push    {r1, r4-r11, lr}               @ the run again in r3 wherever the other registers are in use
        mov     r3, r1
1:      ldr     r1, [r3, #BIAS]
        .if \channels == 4
        ldm     r1!, {r4-r7}
        .else
        ldr     r4, [r1], #4
        .endif
        str     r1, [r3, #BIAS]
        ldr     r12, [r3, #X]
        ldr     lr, [r3, #X_END]
        b       5f
2:      add     r2, r3, #SUMS                  @ a chunk
        ldr     r1, [r3, #CHUNK_BYTES]
        add     r1, r12, r1
        cmp     r1, lr
        it      lo
        movlo   lr, r1
        ldr     r8, [r0], #4
        .if \channels == 4
        stm     r2, {r4-r7}
        ubfx    r5, r8, #8, #8
        ubfx    r6, r8, #16, #8
        lsr     r7, r8, #24
        .else
        str     r4, [r2]
        .endif
        uxtb    r4, r8
        sub     r1, lr, r12
        tst     r1, #4 << \expanded
        bne     4f
3:      STEP    \channels, \expanded
4:      STEP    \channels, \expanded
        cmp     r12, lr
        bne     3b
        ldr     r3, [sp]
        add     r2, r3, #SUMS
        .if \channels == 4
        ldm     r2, {r8-r11}
        add     r5, r9, r5, asr #8
        add     r6, r10, r6, asr #8
        add     r7, r11, r7, asr #8
        .else
        ldr     r8, [r2]
        .endif
        add     r4, r8, r4, asr #8
        ldr     lr, [r3, #X_END]
5:      cmp     r12, lr
        bne     2b
        ldrd    r12, lr, [r3, #LAST]
        b       7f
6:      ldrsb   r1, [r12], #1
        EACH    \channels, LAST_PRODUCT
7:      cmp     r12, lr
        bne     6b
        .if \channels == 1
        add     r0, r0, #3
        bic     r0, r0, #3
        .endif
        ldrd    r1, r2, [r3, #MULTIPLIER]
        ldrd    r12, lr, [r3, #REQUANT_STEP]
        cmp     r12, #0
        beq     8f
        EACH    \channels, OWN_SCALE
        strd    r1, r2, [r3, #MULTIPLIER]
        b       9f
8:      LOAD_SCALE
        EACH    \channels, SCALE
9:      ldrd    r1, r2, [r3, #OUT]
        .if \channels == 4
        bfi     r4, r5, #8, #8
        bfi     r4, r6, #16, #8
        bfi     r4, r7, #24, #8
        str     r4, [r1], #4
        .else
        strb    r4, [r1], #1
        .endif
        str     r1, [r3, #OUT]
        cmp     r1, r2
        bne     1b
        pop     {r1, r4-r11, pc}
        .size   \name, . - \name
        .endm

        GROUPS  tess_fully_connected4_s8__dsp, 4, 0
        GROUPS  tess_fully_connected1_s8__dsp, 1, 0
        GROUPS  tess_fully_connected4_expanded_s8__dsp, 4, 1
        GROUPS  tess_fully_connected1_expanded_s8__dsp, 1, 1
