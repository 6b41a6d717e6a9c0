@ Pixels of depthwise convolutions for Armv7E-M straight from NHWC rows, four channels at a time and without scratch;
@ tess_depthwise_pixels_t in depthwise_conv2d_dsp.h is the manual.
@
@ Two neighbouring taps a, b of a kernel row: two halfword packs and four SXTAB16, which subtract the zero point, make of
@ their words the pairs (a0, b0), (a1, b1), .. of channels 0 .. 3. Weights are stored in the order (a0, a1, b0, b1),
@ (a2, a3, b2, b3), so that SXTB16 alone does it. As the zero point is subtracted, what lies outside the map is left out.

#include "assembly.h"

@ Channels 0 .. 3 in r0 .. r3, offset of their bytes in the rows r4, twice minus the zero point r6, bytes from pixel to
@ pixel r7, weight stream r8, row lr; free are r5 and r9 - r12.

        .macro  HALF x, a, b                    @ two channels of two taps: bytes (a0, a1, b0, b1) in \x
        ldr     r9, [r8], #4
        sxtab16 r5, r6, \x
        sxtb16  r12, r9
        smlad   \a, r5, r12, \a
        sxtab16 \x, r6, \x, ror #8
        sxtb16  r9, r9, ror #8
        smlad   \b, \x, r9, \b
        .endm

        .macro  PAIR                            @ input words in r9, r10
        pkhbt   r11, r9, r10, lsl #16
        pkhtb   r10, r10, r9, asr #16
        HALF    r11, r0, r1
        HALF    r10, r2, r3
        .endm

        .macro  ODD                             @ input word in r9
        ldr     r10, [r8], #4
        sxtab16 r11, r6, r9
        sxtb16  r12, r10
        smlabb  r0, r11, r12, r0
        smlatt  r2, r11, r12, r2
        sxtab16 r9, r6, r9, ror #8
        sxtb16  r10, r10, ror #8
        smlabb  r1, r9, r10, r1
        smlatt  r3, r9, r10, r3
        .endm

@ The frame: tess_depthwise_pixels_run_t but for its first words, in the same order.
        .equ    F_STREAM, 0
        .equ    F_STOP, 4               @ where the channels' stream ends, or the last four channels overlap others
        .equ    F_WHOLE_END, 8
        .equ    F_END, 12
        .equ    F_BACK, 16              @ bytes that the last four channels overlap others
        .equ    F_OUT, 20
        .equ    F_BEFORE, 24            @ bytes of the stream before the weights of the first row
        .equ    F_BEHIND, 28            @ and behind those of the last one
        .equ    F_RAISE, 32
        .equ    F_SETTLE, 36
        .equ    FRAME, 40

        .macro  ROUND relu, clamp, a            @ as in depthwise_rows_s8.S, but the sum is not doubled yet
        ldm     r8!, {r9-r11}
        lsl     \a, \a, #1
        .if     \relu
        smmlar  \a, \a, r9, r10
        .else
        smmlar  r12, \a, r9, r10
        add     \a, r12, \a, asr #31
        .endif
        asr     \a, \a, r11
        .if     \clamp
        usat    \a, #8, \a
        .else
        ssat    \a, #8, \a
        .endif
        .endm

@ Requantizes and stores the four channels, then goes to the next four at \again.
        .macro  STORE relu, clamp, again
        ldr     r9, [sp, #F_BEHIND]
        add     r8, r8, r9
        ROUND   \relu, \clamp, r0
        ROUND   \relu, \clamp, r1
        ROUND   \relu, \clamp, r2
        ROUND   \relu, \clamp, r3
        bfi     r0, r1, #8, #8
        bfi     r2, r3, #8, #8
        pkhbt   r0, r0, r2, lsl #16
        .if     \clamp
        ldrd    r9, r10, [sp, #F_RAISE]
        uqadd8  r0, r0, r9
        uadd8   r0, r0, r10
        .endif
        ldr     r9, [sp, #F_OUT]
        ldr     r10, [sp, #F_STOP]
        str     r0, [r9], #4
        str     r9, [sp, #F_OUT]
        add     r4, r4, #4
        cmp     r8, r10
        bne     \again
        ldr     r10, [sp, #F_END]
        cmp     r8, r10
        beq     88f
        ldr     r11, [sp, #F_BACK]
        str     r10, [sp, #F_STOP]
        sub     r9, r9, r11
        str     r9, [sp, #F_OUT]
        sub     r4, r4, r11
        b       \again
88:
        .endm

@ Of r0, the run: its first three words in r4, r6, r7.
        .macro  FRAME_OF_RUN
        ldm     r0, {r1-r3, r5, r8-r12, lr}
        push    {r1-r3, r5, r8-r12, lr}
        .endm

@ ---- Windows inside the map from left to right; rows outside it lie before the first row, or are left out --------------

        .equ    F_STEP, FRAME           @ bytes of input from output pixel to output pixel
        .equ    F_COUNT, FRAME + 4
        .equ    F_ENTRY, FRAME + 8      @ code of the first row
        .equ    F_ROWS, FRAME + 12

        .macro  TWO_TAPS
        ldr     r9, [lr]
        ldr     r10, [lr, r7]
        PAIR
        .endm

        .macro  ROW k, y
        ldr     lr, [sp, #F_ROWS + 4 * \y]
        add     lr, lr, r4
        TWO_TAPS
        .if     \k >= 5
        add     lr, lr, r7, lsl #1
        TWO_TAPS
        .endif
        .if     \k == 7
        add     lr, lr, r7, lsl #1
        TWO_TAPS
        .endif
        ldr     r9, [lr, r7, lsl #1]
        ODD
        .endm

        .macro  PIXELS name, k, relu, clamp
        FUNCTION \name
        push    {r4-r11, lr}
        .if     \k == 3
        ldm     r1, {r1-r3}
        push    {r1-r3}
        .elseif \k == 5
        ldm     r1, {r1-r5}
        push    {r1-r5}
        .else
        ldm     r1, {r1-r7}
        push    {r1-r7}
        .endif
        ldm     r0!, {r4, r6, r7}
        ldm     r0!, {r1-r3}
        adr     r5, 80f
        ldr     r3, [r5, r3, lsl #2]
        push    {r1-r3}
        FRAME_OF_RUN
1:      ldr     r8, [sp, #F_STREAM]
2:      ldm     r8!, {r0-r3}
        ldr     r9, [sp, #F_BEFORE]
        add     r8, r8, r9
        ldr     pc, [sp, #F_ENTRY]
        .p2align 2
80:     .if     \k == 3
        .word   0, 91f + 1, 92f + 1, 93f + 1
        .elseif \k == 5
        .word   0, 91f + 1, 92f + 1, 93f + 1, 94f + 1, 95f + 1
        .else
        .word   0, 91f + 1, 92f + 1, 93f + 1, 94f + 1, 95f + 1, 96f + 1, 97f + 1
        .endif
        .if     \k == 7
97:     ROW     \k, (\k - 7)
96:     ROW     \k, (\k - 6)
        .endif
        .if     \k >= 5
95:     ROW     \k, (\k - 5)
94:     ROW     \k, (\k - 4)
        .endif
93:     ROW     \k, (\k - 3)
92:     ROW     \k, (\k - 2)
91:     ROW     \k, (\k - 1)
        STORE   \relu, \clamp, 2b
        ldr     r9, [sp, #F_WHOLE_END]
        str     r9, [sp, #F_STOP]
        ldrd    r9, r10, [sp, #F_STEP]
        sub     r9, r9, r7              @ the offset has moved over a pixel
        add     r4, r4, r9
        subs    r10, r10, #1
        str     r10, [sp, #F_COUNT]
        bne     1b
        add     sp, sp, #F_ROWS + 4 * \k
        pop     {r4-r11, pc}
        .size   \name, . - \name
        .endm

@ ---- One window of any kernel --------------------------------------------------------------------------------------------

        .equ    E_ROWS, FRAME           @ first row
        .equ    E_AT, FRAME + 4
        .equ    E_ROWS_END, FRAME + 8   @ tess_depthwise_window_t
        .equ    E_HEAD, FRAME + 12
        .equ    E_PAIRS, FRAME + 16
        .equ    E_TAIL, FRAME + 20
        .equ    E_ODD, FRAME + 24
        .equ    E_SKIP, FRAME + 28
        .equ    E_PADDING, FRAME + 32
        .equ    E_COUNT, FRAME + 36

        .macro  WINDOW name, relu, clamp
        FUNCTION \name
        push    {r4-r11, lr}
        ldm     r2, {r3-r9}
        mov     r2, r1
        push    {r1-r10}
        ldm     r0!, {r4, r6, r7}
        add     r0, r0, #12
        FRAME_OF_RUN
        ldr     r8, [sp, #F_STREAM]
2:      ldm     r8!, {r0-r3}
        ldr     r9, [sp, #F_BEFORE]
        ldr     r10, [sp, #E_ROWS]
        add     r8, r8, r9
3:      ldr     r9, [sp, #E_ROWS_END]
        cmp     r10, r9
        beq     9f
        ldr     lr, [r10], #4
        ldr     r5, [sp, #E_HEAD]
        str     r10, [sp, #E_AT]
        add     lr, lr, r4
        cbz     r5, 4f
        ldr     r9, [sp, #E_PADDING]
        ldr     r10, [lr]
        add     lr, lr, r7
        PAIR
4:      ldr     r5, [sp, #E_PAIRS]
        cbz     r5, 6f
5:      str     r5, [sp, #E_COUNT]
        ldr     r9, [lr]
        ldr     r10, [lr, r7]
        add     lr, lr, r7, lsl #1
        PAIR
        ldr     r5, [sp, #E_COUNT]
        subs    r5, r5, #1
        bne     5b
6:      ldr     r5, [sp, #E_TAIL]
        cbz     r5, 7f
        ldr     r9, [lr]
        ldr     r10, [sp, #E_PADDING]
        PAIR
7:      ldr     r5, [sp, #E_ODD]
        cbz     r5, 8f
        ldr     r9, [lr]
        ODD
8:      ldr     r9, [sp, #E_SKIP]
        ldr     r10, [sp, #E_AT]
        add     r8, r8, r9
        b       3b
9:      STORE   \relu, \clamp, 2b
        add     sp, sp, #FRAME + 40
        pop     {r4-r11, pc}
        .size   \name, . - \name
        .endm

        .macro  VARIANT name, relu, clamp
        PIXELS  tess_depthwise_pixels_3x3_\name\()_s8__dsp, 3, \relu, \clamp
        PIXELS  tess_depthwise_pixels_5x5_\name\()_s8__dsp, 5, \relu, \clamp
        PIXELS  tess_depthwise_pixels_7x7_\name\()_s8__dsp, 7, \relu, \clamp
        WINDOW  tess_depthwise_window_\name\()_s8__dsp, \relu, \clamp
        .endm

        VARIANT relu, 1, 0
        VARIANT linear, 0, 0
        VARIANT relu_clamp, 1, 1
        VARIANT clamp, 0, 1
