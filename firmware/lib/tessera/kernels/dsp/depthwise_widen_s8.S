@ What the row kernels of depthwise convolutions read, widened to 16 bits: channel-planar rows and a weight stream.
@ depthwise_conv2d_dsp.h is the manual.

#include "assembly.h"

@ ---- rows: r0 run, r1 in, r2 out -------------------------------------------------------------------------------------
@ Four channels at a time; of those four or two pixels, so that whole words of the planes are written.

        .equ    W_PIXEL, 0              @ tess_depthwise_widen_t
        .equ    W_PLANE, 4
        .equ    W_CHANNELS, 8
        .equ    W_COUNT, 12
        .equ    W_IN, 16
        .equ    W_OUT, 20

        .macro  ONE_PIXEL               @ of four channels: in r0, planes r3, r4, r5, r6
        ldr     r7, [r0]
        add     r0, r0, r1
        sxtb    r8, r7
        strh    r8, [r3], #2
        sxtb    r8, r7, ror #8
        strh    r8, [r4], #2
        sxtb    r8, r7, ror #16
        strh    r8, [r5], #2
        asr     r7, r7, #24
        strh    r7, [r6], #2
        .endm

        FUNCTION tess_depthwise_widen_s8__dsp
        push    {r4-r11, lr}
        ldm     r0, {r3-r6}
        mov     r7, r1
        mov     r8, r2
        push    {r3-r8}
        mov     r1, r3
        subs    r5, r5, #4
        str     r5, [sp, #W_CHANNELS]
        blo     5f

1:      ldrd    r0, r3, [sp, #W_IN]
        ldr     r4, [sp, #W_PLANE]
        ldr     r2, [sp, #W_COUNT]
        add     r7, r0, #4
        add     r8, r3, r4, lsl #2
        strd    r7, r8, [sp, #W_IN]
        add     r5, r3, r4, lsl #1
        add     r6, r5, r4
        add     r4, r3, r4
        tst     r3, #2
        beq     2f
        ONE_PIXEL
        subs    r2, r2, #1
2:      subs    r2, r2, #4
        blo     4f
3:      ldr     r7, [r0]
        ldr     r8, [r0, r1]
        add     r0, r0, r1, lsl #1
        ldr     r9, [r0]
        ldr     r10, [r0, r1]
        add     r0, r0, r1, lsl #1
        pkhbt   r11, r7, r8, lsl #16    @ channels 0 and 1 of two pixels
        pkhbt   r12, r9, r10, lsl #16
        pkhtb   r8, r8, r7, asr #16     @ channels 2 and 3
        pkhtb   r10, r10, r9, asr #16
        sxtb16  r7, r11
        sxtb16  r9, r12
        strd    r7, r9, [r3], #8
        sxtb16  r11, r11, ror #8
        sxtb16  r12, r12, ror #8
        strd    r11, r12, [r4], #8
        sxtb16  r7, r8
        sxtb16  r9, r10
        strd    r7, r9, [r5], #8
        sxtb16  r8, r8, ror #8
        sxtb16  r10, r10, ror #8
        strd    r8, r10, [r6], #8
        subs    r2, r2, #4
        bhs     3b
4:      tst     r2, #2                  @ r2 = pixels left - 4
        beq     41f
        ldr     r7, [r0]
        ldr     r8, [r0, r1]
        add     r0, r0, r1, lsl #1
        pkhbt   r11, r7, r8, lsl #16
        pkhtb   r8, r8, r7, asr #16
        sxtb16  r7, r11
        str     r7, [r3], #4
        sxtb16  r11, r11, ror #8
        str     r11, [r4], #4
        sxtb16  r7, r8
        str     r7, [r5], #4
        sxtb16  r8, r8, ror #8
        str     r8, [r6], #4
41:     tst     r2, #1
        beq     42f
        ONE_PIXEL
42:     ldr     r5, [sp, #W_CHANNELS]
        subs    r5, r5, #4
        str     r5, [sp, #W_CHANNELS]
        bhs     1b

5:      adds    r5, r5, #4              @ fewer than four channels: one at a time
        beq     9f
        ldrd    r9, r10, [sp, #W_IN]
        ldr     r4, [sp, #W_PLANE]
6:      mov     r0, r9
        mov     r3, r10
        add     r9, r9, #1
        add     r10, r10, r4
        ldr     r2, [sp, #W_COUNT]
        subs    r2, r2, #2
        blo     8f
7:      ldrsb   r7, [r0]
        ldrsb   r8, [r0, r1]
        add     r0, r0, r1, lsl #1
        strh    r7, [r3], #2
        strh    r8, [r3], #2
        subs    r2, r2, #2
        bhs     7b
8:      tst     r2, #1
        beq     81f
        ldrsb   r7, [r0]
        strh    r7, [r3]
81:     subs    r5, r5, #1
        bne     6b
9:      add     sp, sp, #24
        pop     {r4-r11, pc}
        .size   tess_depthwise_widen_s8__dsp, . - tess_depthwise_widen_s8__dsp

@ ---- weights: r0 stream, r1 weights, r2 channels' constants, r3 their end, [sp] twice the zero point in both halves ----

@ Four bytes b0 .. b3 at [r1, #at], less the zero point and doubled, as (b0, b2) in r10 and (b1, b3) in r11
        .macro  LOAD4 at
        ldr     lr, [r1, #\at]
        sxtab16 r10, r12, lr
        sxtab16 r11, r12, lr, ror #8
        sxtab16 r10, r10, lr
        sxtab16 r11, r11, lr, ror #8
        .endm
        .macro  PAIR01 to
        pkhbt   \to, r10, r11, lsl #16
        .endm
        .macro  PAIR12 to
        pkhbt   \to, r11, r10
        .endm
        .macro  PAIR23 to
        pkhtb   \to, r11, r10, asr #16
        .endm

@ A kernel row. No byte behind the channel's last one is read.
        .macro  WEIGHT_ROW k, y
        .if     \k == 3
        .if     \y < 2
        LOAD4   (3 * \y)
        PAIR01  r4
        PAIR12  r5
        .else
        LOAD4   (3 * \y - 1)
        PAIR12  r4
        PAIR23  r5
        .endif
        strd    r4, r5, [r0], #8
        .elseif \k == 5
        LOAD4   (5 * \y)
        PAIR01  r4
        PAIR12  r5
        PAIR23  r6
        LOAD4   (5 * \y + 1)
        PAIR23  r7
        stm     r0!, {r4-r7}
        .else
        LOAD4   (7 * \y)
        PAIR01  r4
        PAIR12  r5
        PAIR23  r6
        LOAD4   (7 * \y + 3)
        PAIR01  r7
        PAIR12  r8
        PAIR23  r9
        stm     r0!, {r4-r9}
        .endif
        .endm

        .macro  STREAM name, k
        FUNCTION \name
        push    {r4-r11, lr}
        ldr     r12, [sp, #36]
        mov     r4, #0
        ssub16  r12, r4, r12
1:      WEIGHT_ROW \k, 0
        WEIGHT_ROW \k, 1
        WEIGHT_ROW \k, 2
        .if     \k >= 5
        WEIGHT_ROW \k, 3
        WEIGHT_ROW \k, 4
        .endif
        .if     \k == 7
        WEIGHT_ROW \k, 5
        WEIGHT_ROW \k, 6
        .endif
        add     r1, r1, #\k * \k
        ldm     r2!, {r4-r7}
        stm     r0!, {r4-r7}
        cmp     r2, r3
        bne     1b
        pop     {r4-r11, pc}
        .size   \name, . - \name
        .endm

        STREAM  tess_depthwise_stream_3x3_s8__dsp, 3
        STREAM  tess_depthwise_stream_5x5_s8__dsp, 5
        STREAM  tess_depthwise_stream_7x7_s8__dsp, 7
