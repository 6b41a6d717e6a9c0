@ Pixels of depthwise convolutions for Armv7E-M straight from NHWC rows, four channels at a time and without scratch;
@ tess_depthwise_pixels_t in depthwise_conv2d_dsp.h is the manual.
@
@ Two neighbouring taps a, b of a kernel row: two halfword packs and four SXTB16 make of their words the pairs (a0, b0),
@ (a1, b1), .. of channels 0 .. 3. Weights are stored in the order (a0, a1, b0, b1), (a2, a3, b2, b3), so that SXTB16
@ alone does it. The last tap of a row, the odd one, comes first, as (a0, a1, a2, a3).

#include "assembly.h"

@ Channels 0 .. 3 in r0 .. r3; bytes from pixel to pixel in r7, weight stream in r8; r9 - r12 are free.

        .macro  ODD                             @ input word in r9
        ldr     r10, [r8], #4
        sxtb16  r11, r9
        sxtb16  r12, r10
        smlabb  r0, r11, r12, r0
        smlatt  r2, r11, r12, r2
        sxtb16  r9, r9, ror #8
        sxtb16  r10, r10, ror #8
        smlabb  r1, r9, r10, r1
        smlatt  r3, r9, r10, r3
        .endm

        .macro  HALF x, t, a, b                 @ two channels of two taps: bytes (a0, a1, b0, b1) in \x
        ldr     r9, [r8], #4
        sxtb16  \t, \x
        sxtb16  r12, r9
        smlad   \a, \t, r12, \a
        sxtb16  \x, \x, ror #8
        sxtb16  r9, r9, ror #8
        smlad   \b, \x, r9, \b
        .endm

        .macro  PAIR t                          @ input words in r9, r10
        pkhbt   r11, r9, r10, lsl #16
        pkhtb   r10, r10, r9, asr #16
        HALF    r11, \t, r0, r1
        HALF    r10, \t, r2, r3
        .endm

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

@ The frame: tess_depthwise_pixels_run_t but for its first words, in the same order.
        .equ    F_STREAM, 0
        .equ    F_STREAM_END, 4
        .equ    F_OUT, 8
        .equ    F_STEP, 12              @ bytes of input from output pixel to output pixel
        .equ    F_COUNT, 16
        .equ    F_RAISE, 20             @ and settle
        .equ    F_ROWS, 28              @ (5x5, 7x7)

        .macro  STORE relu, clamp               @ requantizes and stores the four channels
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
        str     r0, [r9], #4
        str     r9, [sp, #F_OUT]
        .endm

@ ---- 3x3: row pointers in r4, r5, r6 ---------------------------------------------------------------------------------

        .macro  ROW3 p
        ldr     r9, [\p, r7, lsl #1]
        ODD
        ldr     r10, [\p, r7]
        ldr     r9, [\p], #4
        PAIR    lr
        .endm

        .macro  PIXELS3 name, relu, clamp
        FUNCTION \name
        push    {r4-r11, lr}
        mov     r12, r1
        ldm     r0, {r1-r8}                     @ r1 bytes from pixel to pixel, then the frame
        push    {r2-r8}
        mov     r7, r1
        ldm     r12, {r4-r6}
1:      ldr     r8, [sp, #F_STREAM]
2:      ldm     r8!, {r0-r3}
        ROW3    r4
        ROW3    r5
        ROW3    r6
        STORE   \relu, \clamp
        ldr     r9, [sp, #F_STREAM_END]
        cmp     r8, r9
        bne     2b
        ldrd    r9, r10, [sp, #F_STEP]
        sub     r9, r9, r7                      @ the rows have moved over a pixel
        add     r4, r4, r9
        add     r5, r5, r9
        add     r6, r6, r9
        subs    r10, r10, #1
        str     r10, [sp, #F_COUNT]
        bne     1b
        add     sp, sp, #28
        pop     {r4-r11, pc}
        .size   \name, . - \name
        .endm

@ ---- 5x5, 7x7: row pointers in the frame, offset of the channels in r4, of the last tap in r6, tap in lr --------------

        .macro  TWO_TAPS
        ldr     r9, [lr]
        ldr     r10, [lr, r7]
        PAIR    r5
        .endm

        .macro  ROWK k, y
        ldr     lr, [sp, #F_ROWS + 4 * \y]
        add     lr, lr, r4
        ldr     r9, [lr, r6]
        ODD
        TWO_TAPS
        add     lr, lr, r7, lsl #1
        TWO_TAPS
        .if     \k == 7
        add     lr, lr, r7, lsl #1
        TWO_TAPS
        .endif
        .endm

        .macro  PIXELSK name, k, relu, clamp
        FUNCTION \name
        push    {r4-r11, lr}
        .if     \k == 5
        ldm     r1, {r1-r5}
        push    {r1-r5}
        .else
        ldm     r1, {r1-r7}
        push    {r1-r7}
        .endif
        ldm     r0, {r1-r8}
        push    {r2-r8}
        mov     r7, r1
        mov     r6, #\k - 1
        mul     r6, r6, r7
        mov     r4, #0
1:      ldr     r8, [sp, #F_STREAM]
2:      ldm     r8!, {r0-r3}
        ROWK    \k, 0
        ROWK    \k, 1
        ROWK    \k, 2
        ROWK    \k, 3
        ROWK    \k, 4
        .if     \k == 7
        ROWK    \k, 5
        ROWK    \k, 6
        .endif
        STORE   \relu, \clamp
        add     r4, r4, #4
        ldr     r9, [sp, #F_STREAM_END]
        cmp     r8, r9
        bne     2b
        ldrd    r9, r10, [sp, #F_STEP]
        sub     r9, r9, r7
        add     r4, r4, r9
        subs    r10, r10, #1
        str     r10, [sp, #F_COUNT]
        bne     1b
        add     sp, sp, #F_ROWS + 4 * \k
        pop     {r4-r11, pc}
        .size   \name, . - \name
        .endm

        .macro  PIXELS variant, relu, clamp
        PIXELS3 tess_depthwise_pixels_3x3_\variant\()_s8__dsp, \relu, \clamp
        PIXELSK tess_depthwise_pixels_5x5_\variant\()_s8__dsp, 5, \relu, \clamp
        PIXELSK tess_depthwise_pixels_7x7_\variant\()_s8__dsp, 7, \relu, \clamp
        .endm

        PIXELS  relu, 1, 0
        PIXELS  linear, 0, 0
        PIXELS  relu_clamp, 1, 1
        PIXELS  clamp, 0, 1
