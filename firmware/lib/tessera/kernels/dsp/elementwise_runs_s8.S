@ Runs of elements of two int8 operands, four at a time: elementwise_dsp.h says what is computed.
@
@ f(const int32_t *constants, const int8_t *x, const int8_t *y, int8_t *out, int32_t count)
@ Elements are read in increasing order, at most four before they are written. Words lie at any address.

        .syntax unified
        .thumb
        .cpu cortex-m4

        .equ    COUNT, 40

@ `four` takes elements from r1 and r2 to r3 and moves all three; `one` takes r9 and r10 to r9. Constants lie from r4 on,
@ up to r8; lr is in use.
        .macro  RUN name, constants, four, one, argument
        .global \name
        .type   \name, %function
        .section .text.\name, "ax", %progbits
        .p2align 2
        .thumb_func
\name:
        push    {r0, r4-r11, lr}
        ldr     r12, [sp, #COUNT]
        \constants
        lsrs    r9, r12, #2
        beq     3f
        add     lr, r3, r9, lsl #2
        tst     r9, #1
        bne     2f
1:      \four   \argument
2:      \four   \argument
        cmp     r3, lr
        bne     1b
3:      ldr     r12, [sp, #COUNT]
        ands    r12, r12, #3
        beq     5f
        add     lr, r3, r12
4:      ldrsb   r9, [r1], #1
        ldrsb   r10, [r2], #1
        \one    \argument
        strb    r9, [r3], #1
        cmp     r3, lr
        bne     4b
5:      pop     {r0, r4-r11, pc}
        .size   \name, . - \name
        .endm

        .macro  STORE_FOUR first, second, third, fourth
        bfi     \first, \second, #8, #8
        bfi     \first, \third, #16, #8
        bfi     \first, \fourth, #24, #8
        str     \first, [r3], #4
        .endm

@ ADD: r4 a, r5 b, r6 c. SMLAW adds the upper 32 of 48 bits of a product with a half of a word, here x << 8.

        .macro  ADD_CONSTANTS
        ldm     r0, {r4-r6}
        mov     r7, #0xff00ff00
        .endm

        .macro  ADD_FOUR shift
        ldr     r8, [r1], #4
        ldr     r9, [r2], #4
        and     r10, r7, r8, lsl #8
        and     r8, r7, r8
        and     r11, r7, r9, lsl #8
        and     r9, r7, r9
        smlawb  r0, r4, r10, r6
        smlawt  r10, r4, r10, r6
        smlawb  r12, r4, r8, r6
        smlawt  r8, r4, r8, r6
        smlawb  r0, r5, r11, r0
        smlawt  r10, r5, r11, r10
        smlawb  r12, r5, r9, r12
        smlawt  r8, r5, r9, r8
        ssat    r0, #8, r0, asr #\shift
        ssat    r12, #8, r12, asr #\shift
        ssat    r10, #8, r10, asr #\shift
        ssat    r8, #8, r8, asr #\shift
        STORE_FOUR r0, r12, r10, r8
        .endm

        .macro  ADD_ONE shift
        lsl     r9, r9, #8
        lsl     r10, r10, #8
        smlawb  r9, r4, r9, r6
        smlawb  r9, r5, r10, r9
        ssat    r9, #8, r9, asr #\shift
        .endm

        RUN     tess_add_run_22_s8__dsp, ADD_CONSTANTS, ADD_FOUR, ADD_ONE, 22
        RUN     tess_add_run_21_s8__dsp, ADD_CONSTANTS, ADD_FOUR, ADD_ONE, 21
        RUN     tess_add_run_20_s8__dsp, ADD_CONSTANTS, ADD_FOUR, ADD_ONE, 20

@ MUL: r4 a, r5 b, r6 multiplier, r7 k, r8 shift. y + b is doubled, so that SMMLAR takes 2p * multiplier / 2^32.

        .macro  MUL_CONSTANTS
        ldm     r0, {r4-r8}
        .endm

        .macro  SCALE p, free, settled
        .if \settled
        smmlar  \p, \p, r6, r7
        .else
        smmlar  \free, \p, r6, r7
        add     \p, \free, \p, asr #31
        .endif
        asr     \p, \p, r8
        ssat    \p, #8, \p
        .endm

        .macro  MUL_FOUR settled
        ldr     r10, [r1], #4
        ldr     r12, [r2], #4
        sxtab16 r9, r4, r10
        sxtab16 r10, r4, r10, ror #8
        sxtab16 r11, r5, r12
        sxtab16 r12, r5, r12, ror #8
        sadd16  r11, r11, r11
        sadd16  r12, r12, r12
        smulbb  r0, r9, r11
        smultt  r9, r9, r11
        smulbb  r11, r10, r12
        smultt  r10, r10, r12
        SCALE   r0, r12, \settled
        SCALE   r9, r12, \settled
        SCALE   r11, r12, \settled
        SCALE   r10, r12, \settled
        STORE_FOUR r0, r11, r9, r10
        .endm

        .macro  MUL_ONE settled
        sxtab16 r9, r4, r9
        sxtab16 r10, r5, r10
        sadd16  r10, r10, r10
        smulbb  r9, r9, r10
        SCALE   r9, r12, \settled
        .endm

        RUN     tess_mul_run_s8__dsp, MUL_CONSTANTS, MUL_FOUR, MUL_ONE, 0
        RUN     tess_mul_settled_run_s8__dsp, MUL_CONSTANTS, MUL_FOUR, MUL_ONE, 1
