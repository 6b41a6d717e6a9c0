@ Dot products of one input row and 4 output channels, or 1 (fully_connected_dots_s8.h).
@
@ Weight words V and input words X0, X1 are those of gemm_s8.S. A chunk's sum comes out as 256 times the dot product plus
@ 127*sum(w1 + w3): the generator lets it start from the byte that makes this a multiple of 256, and takes what is then
@ too much from the bias. So a bias may have 32 bits, and only the products of a chunk must stay in 24.

        .syntax unified
        .thumb
        .cpu cortex-m4

@ f(r0 weights, r1 x, r2 words, r3 sums): `step` takes a word from r12 and its weights from r0, and moves both.
        .macro  DOT name, channels, word_shift, step
        .section .text.\name, "ax", %progbits
        .global \name
        .type   \name, %function
        .thumb_func
        .p2align 2
\name:
        push    {r3-r11, lr}
        mov     r12, r1
        add     lr, r1, r2, lsl #\word_shift
        ldr     r8, [r0], #4
        uxtb    r4, r8
        .if \channels == 4
        ubfx    r5, r8, #8, #8
        ubfx    r6, r8, #16, #8
        lsr     r7, r8, #24
        .endif
        tst     r2, #1
        bne     2f
1:      \step
2:      \step
        cmp     r12, lr
        bne     1b
        pop     {r3}
        .if \channels == 4
        ldm     r3, {r8-r11}
        add     r4, r8, r4, asr #8
        add     r5, r9, r5, asr #8
        add     r6, r10, r6, asr #8
        add     r7, r11, r7, asr #8
        stm     r3, {r4-r7}
        .else
        ldr     r8, [r3]
        add     r4, r8, r4, asr #8
        str     r4, [r3]
        .endif
        pop     {r4-r11, pc}
        .size   \name, . - \name
        .endm

        .macro  PRODUCTS4                      @ of X0 in r1 and X1 in r2
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
        .endm

        .macro  PRODUCTS1
        ldr     r8, [r0], #4
        smlad   r4, r8, r1, r4
        sxtb16  r8, r8
        smlad   r4, r8, r2, r4
        .endm

        .macro  EXPAND
        ldr     r2, [r12], #4
        sxtb16  r1, r2
        eor     r2, r2, #0x007f007f
        .endm

        .macro  STEP4
        EXPAND
        PRODUCTS4
        .endm

        .macro  STEP1
        EXPAND
        PRODUCTS1
        .endm

        .macro  STEP4_EXPANDED
        ldrd    r1, r2, [r12], #8
        PRODUCTS4
        .endm

        .macro  STEP1_EXPANDED
        ldrd    r1, r2, [r12], #8
        PRODUCTS1
        .endm

        DOT     tess_dot4_s8__dsp, 4, 2, STEP4
        DOT     tess_dot1_s8__dsp, 1, 2, STEP1
        DOT     tess_dot4_expanded_s8__dsp, 4, 3, STEP4_EXPANDED
        DOT     tess_dot1_expanded_s8__dsp, 1, 3, STEP1_EXPANDED
