@ Rows of depthwise convolutions for Armv7E-M; tess_depthwise_row_t in depthwise_conv2d_dsp.h is the manual.
@
@ Four neighbouring outputs at a time (two for 5x5 and 7x7 with stride 2). An input word holds two neighbouring pixels,
@ X0 = (x0, x1), X1 = (x2, x3), ...; the weights of a kernel row are E0 = (w0, w1), O0 = (w1, w2), E1 = (w2, w3), ...:
@   even outputs of stride 1  X0 * E0 + X1 * E1 + .. + Xlast.lo * Olast.hi         (* is SMLAD)
@   odd outputs               X0.hi * E0.lo + X1 * O0 + X2 * O1 + ..
@   stride 2                  as the even outputs
@ Weights are doubled, so sums are twice the accumulator. With the multiplier in Q0.31, SMMLAR of such a sum is the
@ reference's doubling high multiplication, and its third operand adds the output's zero point and the half that the
@ right shift rounds with.

#include "assembly.h"

        .macro  MAC op, acc, x, w, first        @ the first products of an output start from the bias in r0
        .if     \first
        \op     \acc, \x, \w, r0
        .else
        \op     \acc, \x, \w, \acc
        .endif
        .endm

@ One kernel row, stride 1: pixels in r4.., weights at [wp, #o], n = 4, 2 or 1 outputs in r0..
        .macro  TAPS1 k, n, first, wp, o
        ldrd    r11, r12, [\wp, #\o]
        .if     \n == 4
        MAC     smlatb, r3, r5, r11, \first
        MAC     smlad, r2, r5, r11, \first
        .endif
        .if     \n >= 2
        MAC     smlatb, r1, r4, r11, \first
        .endif
        smlad   r0, r4, r11, r0
        .if     \n == 4
        smlad   r3, r6, r12, r3
        .endif
        .if     \n >= 2
        smlad   r1, r5, r12, r1
        .endif
        .if     \k == 3
        smlabt  r0, r5, r12, r0
        .if     \n == 4
        smlabt  r2, r6, r12, r2
        .endif
        .else
        ldrd    r11, r12, [\wp, #\o + 8]
        smlad   r0, r5, r11, r0
        .if     \n >= 2
        smlad   r1, r6, r12, r1
        .endif
        .if     \n == 4
        smlad   r2, r6, r11, r2
        smlad   r3, r7, r12, r3
        .endif
        .if     \k == 5
        smlabt  r0, r6, r12, r0
        .if     \n == 4
        smlabt  r2, r7, r12, r2
        .endif
        .else
        ldrd    r11, r12, [\wp, #\o + 16]
        smlad   r0, r6, r11, r0
        .if     \n >= 2
        smlad   r1, r7, r12, r1
        .endif
        smlabt  r0, r7, r12, r0
        .if     \n == 4
        smlad   r2, r7, r11, r2
        smlad   r3, r8, r12, r3
        smlabt  r2, r8, r12, r2
        .endif
        .endif
        .endif
        .endm

@ One kernel row, stride 2: n = 2 or 1 outputs
        .macro  TAPS2 k, n, first, wp, o
        .if     \k == 3
        ldrd    r11, r12, [\wp, #\o]
        .else
        ldr     r11, [\wp, #\o]
        .endif
        .if     \n == 2
        MAC     smlad, r1, r5, r11, \first
        .endif
        smlad   r0, r4, r11, r0
        .if     \k == 3
        smlabt  r0, r5, r12, r0
        .if     \n == 2
        smlabt  r1, r6, r12, r1
        .endif
        .elseif \k == 5
        ldrd    r11, r12, [\wp, #\o + 8]
        smlad   r0, r5, r11, r0
        smlabt  r0, r6, r12, r0
        .if     \n == 2
        smlad   r1, r6, r11, r1
        smlabt  r1, r7, r12, r1
        .endif
        .else
        ldr     r11, [\wp, #\o + 8]
        smlad   r0, r5, r11, r0
        .if     \n == 2
        smlad   r1, r6, r11, r1
        .endif
        ldrd    r11, r12, [\wp, #\o + 16]
        smlad   r0, r6, r11, r0
        smlabt  r0, r7, r12, r0
        .if     \n == 2
        smlad   r1, r7, r11, r1
        smlabt  r1, r8, r12, r1
        .endif
        .endif
        .endm

@ 3x3, stride 2, four outputs: nine pixels roll through three registers; \p advances to the next group's.
        .macro  TAPS2_4 p, first, o
        ldm     \p!, {r4-r6}
        ldrd    r11, r12, [r10, #\o]
        MAC     smlad, r1, r5, r11, \first
        MAC     smlad, r2, r6, r11, \first
        .if     \first
        mov     r3, r0
        .endif
        smlad   r0, r4, r11, r0
        smlabt  r0, r5, r12, r0
        smlabt  r1, r6, r12, r1
        ldrd    r4, r5, [\p], #4
        smlabt  r2, r4, r12, r2
        smlad   r3, r4, r11, r3
        smlabt  r3, r5, r12, r3
        .endm

@ relu: the lower clamp hides how sums below zero round. clamp: offset is zero_point - min and saturation to [0, 255];
@ then 255 - (max - min) is added with saturation, and max - 255 without. Else saturation to int8 is the clamp.
        .macro  ROUND relu, clamp, a            @ r4 multiplier, r5 offset, r6 shift
        .if     \relu
        smmlar  \a, \a, r4, r5
        .else
        smmlar  r12, \a, r4, r5
        add     \a, r12, \a, asr #31            @ half away from zero: one less below it
        .endif
        asr     \a, \a, r6
        .if     \clamp
        usat    \a, #8, \a
        .else
        ssat    \a, #8, \a
        .endif
        .endm

        .macro  SETTLE a                        @ r4 raise, r5 settle
        uqadd8  \a, \a, r4
        add     \a, \a, r5
        .endm

@ Requantizes and stores n outputs; constants at [wp, #b]. Leaves r11 = bytes from pixel to pixel for n > 1, and \out
@ behind four outputs.
        .macro  FINISH n, relu, clamp, wp, b, out
        ldrd    r4, r5, [\wp, #\b + 4]
        ldr     r6, [\wp, #\b + 12]
        ROUND   \relu, \clamp, r0
        .if     \n >= 2
        ROUND   \relu, \clamp, r1
        ldr     r11, [sp, #F_PIXEL]
        .endif
        .if     \n == 4
        ROUND   \relu, \clamp, r2
        ROUND   \relu, \clamp, r3
        .endif
        .if     \clamp
        ldrd    r4, r5, [sp, #F_CLAMP]
        SETTLE  r0
        .if     \n >= 2
        SETTLE  r1
        .endif
        .if     \n == 4
        SETTLE  r2
        SETTLE  r3
        .endif
        .endif
        strb    r0, [\out]
        .if     \n >= 2
        strb    r1, [\out, r11]
        .endif
        .if     \n == 4
        add     \out, \out, r11, lsl #1
        strb    r2, [\out]
        strb    r3, [\out, r11]
        add     \out, \out, r11, lsl #1
        .endif
        .endm

@ The frame: tess_depthwise_run_t but for its first word, in the same order, then row pointers.
        .equ    F_PIXEL, 0              @ bytes from output pixel to pixel
        .equ    F_SPAN, 8               @ bytes of output over the whole groups
        .equ    F_END, 12               @ behind the whole groups of the channel
        .equ    F_STREAM_END, 16
        .equ    F_NEXT, 20              @ bytes from behind the whole groups' input to the next channel's
        .equ    F_TAIL, 24              @ code for the outputs behind the whole groups
        .equ    F_CLAMP, 28
        .equ    F_AT, 36                @ output of the group (5x5, 7x7)
        .equ    F_ROWS, 40              @ (5x5, 7x7)

@ r0 run, r1 rows; leaves the weight stream in r2. Keeps r1.
        .macro  ENTER
        ldm     r0, {r2-r11}
        adr     r12, 80f
        ldr     r9, [r12, r9, lsl #2]
        add     r6, r4, r5
        sub     r6, r6, #1              @ of the channel before the first
        push    {r3-r12}
        .endm

        .macro  CHANNEL out                     @ its output in \out, behind its groups in r4
        ldrd    r5, r4, [sp, #F_SPAN]
        add     r4, r4, #1
        str     r4, [sp, #F_END]
        sub     \out, r4, r5
        .endm

@ ---- 3x3: row pointers in r7, r8, r9, weights r10, output lr ---------------------------------------------------------

        .macro  LOAD1 p, n, o                   @ stride 1: n + 2 pixels from byte o on; four outputs advance
        .if     \n == 4
        ldrd    r4, r5, [\p], #8
        ldr     r6, [\p]
        .else
        ldrd    r4, r5, [\p, #\o]
        .endif
        .endm

        .macro  LOAD2 p, n, o                   @ stride 2
        ldrd    r4, r5, [\p, #\o]
        .if     \n == 2
        ldr     r6, [\p, #\o + 8]
        .endif
        .endm

        .macro  GROUP3 s, n, o, relu, clamp
        ldr     r0, [r10, #24]
        .if     \s == 2 && \n == 4
        TAPS2_4 r7, 1, 0
        TAPS2_4 r8, 0, 8
        TAPS2_4 r9, 0, 16
        .else
        LOAD\s  r7, \n, \o
        TAPS\s  3, \n, 1, r10, 0
        LOAD\s  r8, \n, \o
        TAPS\s  3, \n, 0, r10, 8
        LOAD\s  r9, \n, \o
        TAPS\s  3, \n, 0, r10, 16
        .endif
        FINISH  \n, \relu, \clamp, r10, 24, lr
        .endm

        .macro  ROW3 name, s, relu, clamp
        FUNCTION \name
        push    {r4-r11, lr}
        ENTER
        mov     r10, r2
        ldm     r1, {r7-r9}
1:      CHANNEL lr
        cmp     r4, lr
        beq     3f
2:      GROUP3  \s, 4, 0, \relu, \clamp
        ldr     r4, [sp, #F_END]
        cmp     lr, r4
        bne     2b
3:      ldr     pc, [sp, #F_TAIL]
        .p2align 2
80:     .word   90f + 1, 91f + 1, 92f + 1, 93f + 1
93:     GROUP3  \s, 2, 0, \relu, \clamp
        add     lr, lr, r11, lsl #1
        GROUP3  \s, 1, (4 * \s), \relu, \clamp
        b       90f
92:     GROUP3  \s, 2, 0, \relu, \clamp
        b       90f
91:     GROUP3  \s, 1, 0, \relu, \clamp
90:     ldr     r4, [sp, #F_NEXT]
        ldr     r5, [sp, #F_STREAM_END]
        add     r7, r7, r4
        add     r8, r8, r4
        add     r9, r9, r4
        add     r10, r10, #40
        cmp     r10, r5
        bne     1b
        add     sp, sp, #40
        pop     {r4-r11, pc}
        .size   \name, . - \name
        .endm

@ ---- 5x5, 7x7: row pointers in the frame, offset of the group in r10, weights r9, row or output in lr ----------------

        .macro  KERNEL_ROW k, s, n, y, o
        ldr     lr, [sp, #F_ROWS + 4 * \y]
        add     lr, lr, r10
        .if     \n == 4
        .if     \k == 5
        ldm     lr, {r4-r7}
        .else
        ldm     lr, {r4-r8}
        .endif
        .else                                   @ words: (k + s * (n - 1) + 1) / 2
        ldrd    r4, r5, [lr, #\o]
        .if     (\k + \s * (\n - 1) + 1) / 2 == 3
        ldr     r6, [lr, #\o + 8]
        .else
        ldrd    r6, r7, [lr, #\o + 8]
        .if     (\k + \s * (\n - 1) + 1) / 2 == 5
        ldr     r8, [lr, #\o + 16]
        .endif
        .endif
        .endif
        .if     \y == 0
        TAPS\s  \k, \n, 1, r9, 0
        .else
        TAPS\s  \k, \n, 0, r9, (\y * 4 * (\k - 1))
        .endif
        .endm

        .macro  GROUPK k, s, n, o, relu, clamp
        ldr     r0, [r9, #4 * \k * (\k - 1)]
        KERNEL_ROW \k, \s, \n, 0, \o
        KERNEL_ROW \k, \s, \n, 1, \o
        KERNEL_ROW \k, \s, \n, 2, \o
        KERNEL_ROW \k, \s, \n, 3, \o
        KERNEL_ROW \k, \s, \n, 4, \o
        .if     \k == 7
        KERNEL_ROW \k, \s, \n, 5, \o
        KERNEL_ROW \k, \s, \n, 6, \o
        .endif
        ldr     lr, [sp, #F_AT]
        FINISH  \n, \relu, \clamp, r9, (4 * \k * (\k - 1)), lr
        .endm

        .macro  ROWK name, k, s, group, relu, clamp
        FUNCTION \name
        push    {r4-r11, lr}
        .if     \k == 5
        ldm     r1, {r2-r6}
        push    {r2-r6}
        .else
        ldm     r1, {r2-r8}
        push    {r2-r8}
        .endif
        ENTER
        mov     r9, r2
        mov     r10, #0
1:      CHANNEL lr
        str     lr, [sp, #F_AT]
        cmp     r4, lr
        beq     3f
2:      GROUPK  \k, \s, \group, 0, \relu, \clamp
        add     r10, r10, #2 * \group * \s
        .if     \group == 2
        add     lr, lr, r11, lsl #1
        .endif
        str     lr, [sp, #F_AT]
        ldr     r4, [sp, #F_END]
        cmp     lr, r4
        bne     2b
3:      ldr     pc, [sp, #F_TAIL]
        .p2align 2
80:     .word   90f + 1, 91f + 1
        .if     \group == 4
        .word   92f + 1, 93f + 1
93:     GROUPK  \k, \s, 2, 0, \relu, \clamp
        add     lr, lr, r11, lsl #1
        str     lr, [sp, #F_AT]
        GROUPK  \k, \s, 1, 4, \relu, \clamp
        b       90f
92:     GROUPK  \k, \s, 2, 0, \relu, \clamp
        b       90f
        .endif
91:     GROUPK  \k, \s, 1, 0, \relu, \clamp
90:     ldr     r4, [sp, #F_NEXT]
        ldr     r5, [sp, #F_STREAM_END]
        add     r10, r10, r4
        add     r9, r9, #4 * \k * (\k - 1) + 16
        cmp     r9, r5
        bne     1b
        add     sp, sp, #F_ROWS + 4 * \k
        pop     {r4-r11, pc}
        .size   \name, . - \name
        .endm

        .macro  ROWS variant, relu, clamp
        ROW3    tess_depthwise_row_3x3_s1_\variant\()_s8__dsp, 1, \relu, \clamp
        ROW3    tess_depthwise_row_3x3_s2_\variant\()_s8__dsp, 2, \relu, \clamp
        ROWK    tess_depthwise_row_5x5_s1_\variant\()_s8__dsp, 5, 1, 4, \relu, \clamp
        ROWK    tess_depthwise_row_5x5_s2_\variant\()_s8__dsp, 5, 2, 2, \relu, \clamp
        ROWK    tess_depthwise_row_7x7_s1_\variant\()_s8__dsp, 7, 1, 4, \relu, \clamp
        ROWK    tess_depthwise_row_7x7_s2_\variant\()_s8__dsp, 7, 2, 2, \relu, \clamp
        .endm

        ROWS    relu, 1, 0
        ROWS    linear, 0, 0
        ROWS    relu_clamp, 1, 1
        ROWS    clamp, 0, 1
