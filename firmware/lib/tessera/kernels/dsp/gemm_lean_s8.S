@ int8 matrix kernels for Armv7E-M that need no scratch: 2 pixels or 1 x 4 output channels, straight from the input.
@
@ Words, products and requantization are those of gemm_s8.S; X0 and X1 are made where they are used, once for four
@ channels. Weights, per four output channels: bias0..3 | (V0 V1 V2 V3) * words | (multiplier k shift) * 4.

#include "assembly.h"

@ the stack: state of the loops, then tess_gemm_lean_s8_t
        .equ    PIXELS, 0                              @ where both pixels' values are
        .equ    NEXT_ROW, 8
        .equ    ROWS_LEFT, 12
        .equ    ONE_ROW_PIXELS, 8                      @ where the row begins, if there is only one
        .equ    ROW_END, 16                            @ of the weights
        .equ    RUN, 20
        .equ    RUN_ROWS, RUN + 0
        .equ    RUN_OFFSET, RUN + 8
        .equ    RUN_WHOLE, RUN + 16
        .equ    RUN_ROW_WEIGHTS, RUN + 20
        .equ    RUN_BACK, RUN + 24
        .equ    RUN_ENTRY, RUN + 28
        .equ    RUN_WEIGHTS_END, RUN + 36
        .equ    RUN_OUT, RUN + 40
        .equ    RUN_RAISE, RUN + 48
        .equ    RUN_ZERO_X0, RUN + 56
        .equ    RUN_ZERO_X1, RUN + 60
        .equ    STACK_BYTES, RUN + 64

        .macro  CHANNEL a, b                           @ X0 in r10, r11; X1 in r8, r9
        ldr     r12, [lr], #4
        smlad   \a, r12, r10, \a
        smlad   \b, r12, r11, \b
        sxtb16  r12, r12
        smlad   \a, r12, r8, \a
        smlad   \b, r12, r9, \b
        .endm

        .macro  CHANNELS
        CHANNEL r0, r1
        CHANNEL r2, r3
        CHANNEL r4, r5
        CHANNEL r6, r7
        .endm

        .macro  LOADED                                 @ words of both pixels in r10, r11
        eor     r8, r10, #0x007f007f
        eor     r9, r11, #0x007f007f
        sxtb16  r10, r10
        sxtb16  r11, r11
        CHANNELS
        .endm

        .macro  STEP offset
        ldrd    r8, r9, [sp, #PIXELS]
        ldr     r10, [r8, #\offset]
        ldr     r11, [r9, #\offset]
        LOADED
        .endm

        .macro  LAST_STEP
        ldrd    r8, r9, [sp, #PIXELS]
        ldr     r10, [r8], #16
        ldr     r11, [r9], #16
        strd    r8, r9, [sp, #PIXELS]
        LOADED
        .endm

        .macro  REQUANTIZE_CHANNEL relu, clamp, a, b
        ldm     lr!, {r8-r10}
        REQUANTIZE \a, \relu, \clamp
        REQUANTIZE \b, \relu, \clamp
        .endm

        .macro  PACK clamp, a, b, c, d                 @ four channels of a pixel; r8 raise, r9 settle
        bfi     \a, \b, #8, #8
        bfi     \a, \c, #16, #8
        bfi     \a, \d, #24, #8
        .if \clamp
        uqadd8  \a, \a, r8
        uadd8   \a, \a, r9
        .endif
        .endm

        .macro  START_ROW                              @ both pixels' values at r8, r9
        strd    r8, r9, [sp, #PIXELS]
        ldr     r12, [sp, #RUN_WHOLE]
        add     r12, lr, r12
        str     r12, [sp, #ROW_END]
        ldr     pc, [sp, #RUN_ENTRY]
        .p2align 2
90:     .word   31f + 1, 32f + 1, 33f + 1, 30f + 1     @ + 1: Thumb
        .endm

@ The row's whole words, then a last one that begins inside the one before.
        .macro  ROW
30:     STEP    -12
33:     STEP    -8
32:     STEP    -4
31:     LAST_STEP
        ldr     r12, [sp, #ROW_END]
        cmp     lr, r12
        bne     30b
        ldr     r12, [sp, #RUN_BACK]
        cmp     r12, #0
        beq     40f
        ldrd    r8, r9, [sp, #PIXELS]
        sub     r8, r8, r12
        sub     r9, r9, r12
        ldr     r10, [r8]
        ldr     r11, [r9]
        LOADED
40:
        .endm

@ one_row: windows of a single row, which is inside the map
        .macro  GEMM_LEAN name, relu, clamp, one_row
        FUNCTION \name
        push    {r4-r11, lr}
        sub     sp, sp, #STACK_BYTES
        add     r12, sp, #RUN
        ldm     r0!, {r1-r8}
        adr     r9, 90f
        ldr     r8, [r9, r8, lsl #2]                   @ entry
        stm     r12!, {r1-r8}
        .if \one_row
        ldr     r1, [r1]
        add     r8, r1, r3
        add     r9, r8, r4
        strd    r8, r9, [sp, #ONE_ROW_PIXELS]
        .endif
        ldm     r0, {r1-r8}
        stm     r12, {r1-r8}
        mov     lr, r1                                 @ weights

10:     ldrd    r0, r2, [lr], #8                       @ four channels
        ldrd    r4, r6, [lr], #8
        mov     r1, r0
        mov     r3, r2
        mov     r5, r4
        mov     r7, r6
        .if \one_row
        ldrd    r8, r9, [sp, #ONE_ROW_PIXELS]
        START_ROW
        ROW
        .else
        ldrd    r8, r9, [sp, #RUN_ROWS]
        strd    r8, r9, [sp, #NEXT_ROW]
20:     ldr     r12, [sp, #NEXT_ROW]
        ldr     r8, [r12], #4
        str     r12, [sp, #NEXT_ROW]
        cmp     r8, #0
        beq     50f
        ldrd    r10, r11, [sp, #RUN_OFFSET]
        add     r8, r8, r10
        add     r9, r8, r11
        START_ROW
        ROW
41:     ldr     r12, [sp, #ROWS_LEFT]
        subs    r12, r12, #1
        str     r12, [sp, #ROWS_LEFT]
        bne     20b
        .endif

        REQUANTIZE_CHANNEL \relu, \clamp, r0, r1
        REQUANTIZE_CHANNEL \relu, \clamp, r2, r3
        REQUANTIZE_CHANNEL \relu, \clamp, r4, r5
        REQUANTIZE_CHANNEL \relu, \clamp, r6, r7
        .if \clamp
        ldrd    r8, r9, [sp, #RUN_RAISE]
        .endif
        PACK    \clamp, r0, r2, r4, r6
        PACK    \clamp, r1, r3, r5, r7
        ldrd    r10, r11, [sp, #RUN_OUT]
        str     r0, [r10]
        str     r1, [r10, r11]
        add     r10, r10, #4
        str     r10, [sp, #RUN_OUT]
        ldr     r8, [sp, #RUN_WEIGHTS_END]
        cmp     lr, r8
        bne     10b
        add     sp, sp, #STACK_BYTES
        pop     {r4-r11, pc}

        .if !\one_row
50:     ldr     r12, [sp, #RUN_ROW_WEIGHTS]            @ a row outside the map
        add     r12, lr, r12
        str     r12, [sp, #ROW_END]
        ldr     r10, [sp, #RUN_ZERO_X0]
        ldr     r8, [sp, #RUN_ZERO_X1]
        mov     r11, r10
        mov     r9, r8
51:     CHANNELS
        ldr     r12, [sp, #ROW_END]
        cmp     lr, r12
        bne     51b
        b       41b
        .endif
        .size   \name, . - \name
        .endm

@ One pixel: its values at r11; r1 where the row ends in the weights, r3 the next row, r5 rows left.
        .macro  CHANNEL1 a
        ldr     r12, [lr], #4
        smlad   \a, r12, r10, \a
        sxtb16  r12, r12
        smlad   \a, r12, r8, \a
        .endm

        .macro  CHANNELS1
        CHANNEL1 r0
        CHANNEL1 r2
        CHANNEL1 r4
        CHANNEL1 r6
        .endm

        .macro  LOADED1
        eor     r8, r10, #0x007f007f
        sxtb16  r10, r10
        CHANNELS1
        .endm

        .macro  REQUANTIZE_CHANNEL1 relu, clamp, a
        ldm     lr!, {r8-r10}
        REQUANTIZE \a, \relu, \clamp
        .endm

        .macro  GEMM_LEAN1 name, relu, clamp
        FUNCTION \name
        push    {r4-r11, lr}
        sub     sp, sp, #STACK_BYTES
        add     r12, sp, #RUN
        ldm     r0!, {r1-r8}
        stm     r12!, {r1-r8}
        ldm     r0, {r1-r8}
        stm     r12, {r1-r8}
        mov     lr, r1                                 @ weights

10:     ldrd    r0, r2, [lr], #8                       @ four channels
        ldrd    r4, r6, [lr], #8
        ldrd    r3, r5, [sp, #RUN_ROWS]
20:     ldr     r11, [r3], #4                          @ a row of the window
        cmp     r11, #0
        beq     50f
        ldr     r12, [sp, #RUN_OFFSET]
        add     r11, r11, r12
        ldr     r1, [sp, #RUN_WHOLE]
        add     r1, lr, r1
30:     ldr     r10, [r11], #4
        LOADED1
        cmp     lr, r1
        bne     30b
        ldr     r12, [sp, #RUN_BACK]
        cmp     r12, #0
        beq     40f
        sub     r11, r11, r12
        ldr     r10, [r11, #12]
        LOADED1
40:     subs    r5, r5, #1
        bne     20b
        REQUANTIZE_CHANNEL1 \relu, \clamp, r0
        REQUANTIZE_CHANNEL1 \relu, \clamp, r2
        REQUANTIZE_CHANNEL1 \relu, \clamp, r4
        REQUANTIZE_CHANNEL1 \relu, \clamp, r6
        .if \clamp
        ldrd    r8, r9, [sp, #RUN_RAISE]
        .endif
        PACK    \clamp, r0, r2, r4, r6
        ldr     r10, [sp, #RUN_OUT]
        str     r0, [r10], #4
        str     r10, [sp, #RUN_OUT]
        ldr     r8, [sp, #RUN_WEIGHTS_END]
        cmp     lr, r8
        bne     10b
        add     sp, sp, #STACK_BYTES
        pop     {r4-r11, pc}

50:     ldr     r1, [sp, #RUN_ROW_WEIGHTS]             @ a row outside the map
        add     r1, lr, r1
        ldr     r10, [sp, #RUN_ZERO_X0]
        ldr     r8, [sp, #RUN_ZERO_X1]
51:     CHANNELS1
        cmp     lr, r1
        bne     51b
        b       40b
        .size   \name, . - \name
        .endm

        GEMM_LEAN1 tess_gemm_lean1_relu_s8__dsp, 1, 0
        GEMM_LEAN1 tess_gemm_lean1_linear_s8__dsp, 0, 0
        GEMM_LEAN1 tess_gemm_lean1_relu_clamp_s8__dsp, 1, 1
        GEMM_LEAN1 tess_gemm_lean1_clamp_s8__dsp, 0, 1
        GEMM_LEAN tess_gemm_lean2_relu_s8__dsp, 1, 0, 0
        GEMM_LEAN tess_gemm_lean2_linear_s8__dsp, 0, 0, 0
        GEMM_LEAN tess_gemm_lean2_relu_clamp_s8__dsp, 1, 1, 0
        GEMM_LEAN tess_gemm_lean2_clamp_s8__dsp, 0, 1, 0
        GEMM_LEAN tess_gemm_lean2_row_relu_s8__dsp, 1, 0, 1
        GEMM_LEAN tess_gemm_lean2_row_linear_s8__dsp, 0, 0, 1
        GEMM_LEAN tess_gemm_lean2_row_relu_clamp_s8__dsp, 1, 1, 1
        GEMM_LEAN tess_gemm_lean2_row_clamp_s8__dsp, 0, 1, 1
