@ int8 matrix kernels for Armv7E-M (Cortex-M4 and M7): P pixels x 2 output channels at a time.
@
@ A weight word V holds four weights of one output channel as two int16, in the four bytes that they take as int8:
@     V = (256*w0 + w1, 256*w2 + w3), as (low half, high half)        SXTB16(V) = (w1, w3)
@ and four input bytes b0..b3, a word W, become two words
@     X0 = SXTB16(W) = (b0, b2)        X1 = W ^ 0x007f007f = (256*b1 + 127 - b0, 256*b3 + 127 - b2)
@ so that
@     SMLAD(V, X0) + SMLAD(SXTB16(V), X1) = 256*(w0*b0 + w1*b1 + w2*b2 + w3*b3) + 127*(w1 + w3).
@ The second term does not depend on the input: the generator takes it from the bias, as it does with the zero point of
@ the input: bias = 256*(bias - zero_point*sum(w)) - 127*sum(w1 + w3), modulo 2^32. One extension a weight word instead
@ of two, and one register a weight word: 4 pixels x 2 channels fit in 14 registers.
@ Needs 256*w0 + w1 >= -2^15, so no pair of weights (-128, negative), and the true accumulator in [-2^23, 2^23).
@
@ Input block, per word of the window: X0 of pixels 0..P-1, then X1 of pixels 0..P-1.
@ Weights, per pair of output channels: bias0 bias1 | (V0 V1) * words | multiplier0 k0 shift0 multiplier1 k1 shift1.
@
@ Requantization as the reference (TFLite MultiplyByQuantizedMultiplier), which rounds half up, then half away from zero:
@     h = floor(acc * multiplier / 2^31 + 1/2),  out = offset + floor((h - (acc < 0) + 2^(right-1)) / 2^right)
@ The sum, 256*acc, times the multiplier has seven more bits in its high word, and floor(floor(x) / n) = floor(x / n):
@     out = (SMMLA(256*acc, multiplier, k) - 128*(acc < 0)) >> shift,  shift = right + 7
@     k = (offset << shift) + (1 << (shift - 1)) + 64         (without the second term if right is 0)
@ The 128 are left out (relu) where negative values end at the lower clamp either way; else right must not be 0. Without
@ clamp, offset is the zero point and the result saturates to int8. With clamp, offset is zero_point - min and saturation
@ is to [0, 255]; then on packed bytes 255 - (max - min) is added with saturation, and max - 255 without.

#include "assembly.h"

@ tess_gemm_s8_t, also as copied to the stack
        .equ    RUN_X, 0
        .equ    RUN_X_END, 4
        .equ    RUN_WEIGHTS_END, 12
        .equ    RUN_OUT, 16
        .equ    RUN_ENTRY, 24
        .equ    RUN_RAISE, 28
        .equ    RUN_BYTES, 36

        .macro  PRODUCT a, b, x, from_a, from_b        @ one pixel, two channels
        smlad   \a, r8, \x, \from_a
        smlad   \b, r9, \x, \from_b
        .endm

        .macro  HALF pixels                            @ X0 or X1 of all pixels
        .if \pixels == 1
        ldr     r10, [r12], #4
        PRODUCT r0, r1, r10, r0, r1
        .else
        ldrd    r10, r11, [r12], #8
        PRODUCT r0, r1, r10, r0, r1
        PRODUCT r2, r3, r11, r2, r3
        .if \pixels == 4
        ldrd    r10, r11, [r12], #8
        PRODUCT r4, r5, r10, r4, r5
        PRODUCT r6, r7, r11, r6, r7
        .endif
        .endif
        .endm

        .macro  STEP pixels                            @ one word of the window
        ldrd    r8, r9, [lr], #8
        HALF    \pixels
        sxtb16  r8, r8
        sxtb16  r9, r9
        HALF    \pixels
        .endm

        .macro  FIRST_STEP pixels                      @ sums start from the bias in r0, r1
        ldrd    r8, r9, [lr], #8
        .if \pixels == 4
        ldrd    r10, r11, [r12, #8]
        PRODUCT r4, r5, r10, r0, r1
        PRODUCT r6, r7, r11, r0, r1
        ldrd    r10, r11, [r12], #16
        PRODUCT r2, r3, r11, r0, r1
        PRODUCT r0, r1, r10, r0, r1
        .elseif \pixels == 2
        ldrd    r10, r11, [r12], #8
        PRODUCT r2, r3, r11, r0, r1
        PRODUCT r0, r1, r10, r0, r1
        .else
        ldr     r10, [r12], #4
        PRODUCT r0, r1, r10, r0, r1
        .endif
        sxtb16  r8, r8
        sxtb16  r9, r9
        HALF    \pixels
        .endm

        .macro  REQUANTIZE_CHANNEL pixels, relu, clamp, a, b, c, d
        ldm     lr!, {r8-r10}
        REQUANTIZE \a, \relu, \clamp
        .if \pixels >= 2
        REQUANTIZE \b, \relu, \clamp
        .endif
        .if \pixels == 4
        REQUANTIZE \c, \relu, \clamp
        REQUANTIZE \d, \relu, \clamp
        .endif
        .endm

        .macro  PACK a, b, clamp                       @ two channels of a pixel; r8 raise, r9 settle
        bfi     \a, \b, #8, #8
        .if \clamp
        uqadd8  \a, \a, r8
        uadd8   \a, \a, r9
        .endif
        .endm

@ Sums of one pair of channels into r0..r7: pixel 0 channel 0, pixel 0 channel 1, pixel 1 channel 0, ...
        .macro  SUMS pixels, unroll
        ldrd    r0, r1, [lr], #8
        ldr     r12, [sp, #RUN_X]
        FIRST_STEP \pixels
        ldr     pc, [sp, #RUN_ENTRY]
        .p2align 2
90:     .word   30f + 1, 31f + 1                       @ + 1: Thumb
        .if \unroll == 4
        .word   32f + 1, 33f + 1
        .endif
20:
        .if \unroll == 4
        STEP    \pixels
33:     STEP    \pixels
32:
        .endif
        STEP    \pixels
31:     STEP    \pixels
30:     ldr     r8, [sp, #RUN_X_END]
        cmp     r12, r8
        bne     20b
        .endm

        .macro  PROLOGUE                               @ lr = weights; entry becomes an address
        push    {r4-r11, lr}
        sub     sp, sp, #RUN_BYTES
        ldm     r0, {r1-r9}
        adr     r10, 90f
        ldr     r7, [r10, r7, lsl #2]
        stm     sp, {r1-r9}
        mov     lr, r3
        .endm

        .macro  EPILOGUE
        add     sp, sp, #RUN_BYTES
        pop     {r4-r11, pc}
        .endm

        .macro  GEMM name, pixels, relu, clamp, unroll
        FUNCTION \name
        PROLOGUE
10:     SUMS    \pixels, \unroll
        REQUANTIZE_CHANNEL \pixels, \relu, \clamp, r0, r2, r4, r6
        REQUANTIZE_CHANNEL \pixels, \relu, \clamp, r1, r3, r5, r7
        .if \clamp
        ldrd    r8, r9, [sp, #RUN_RAISE]
        .endif
        ldrd    r10, r11, [sp, #RUN_OUT]
        PACK    r0, r1, \clamp
        strh    r0, [r10]
        .if \pixels >= 2
        PACK    r2, r3, \clamp
        strh    r2, [r10, r11]
        .endif
        .if \pixels == 4
        PACK    r4, r5, \clamp
        PACK    r6, r7, \clamp
        add     r8, r10, r11, lsl #1
        strh    r4, [r8]
        strh    r6, [r8, r11]
        .endif
        add     r10, r10, #2
        str     r10, [sp, #RUN_OUT]
        ldr     r8, [sp, #RUN_WEIGHTS_END]
        cmp     lr, r8
        bne     10b
        EPILOGUE
        .size   \name, . - \name
        .endm

        .macro  GEMM_RAW name, pixels, unroll
        FUNCTION \name
        PROLOGUE
        SUMS    \pixels, \unroll
        ldr     r10, [sp, #RUN_OUT]
        .if \pixels == 4
        stm     r10, {r0-r7}
        .elseif \pixels == 2
        stm     r10, {r0-r3}
        .else
        stm     r10, {r0-r1}
        .endif
        EPILOGUE
        .size   \name, . - \name
        .endm

        GEMM    tess_gemm4_relu_s8__dsp, 4, 1, 0, 4
        GEMM    tess_gemm2_relu_s8__dsp, 2, 1, 0, 2
        GEMM    tess_gemm1_relu_s8__dsp, 1, 1, 0, 2
        GEMM    tess_gemm4_linear_s8__dsp, 4, 0, 0, 4
        GEMM    tess_gemm2_linear_s8__dsp, 2, 0, 0, 2
        GEMM    tess_gemm1_linear_s8__dsp, 1, 0, 0, 2
        GEMM    tess_gemm4_relu_clamp_s8__dsp, 4, 1, 1, 4
        GEMM    tess_gemm2_relu_clamp_s8__dsp, 2, 1, 1, 2
        GEMM    tess_gemm1_relu_clamp_s8__dsp, 1, 1, 1, 2
        GEMM    tess_gemm4_clamp_s8__dsp, 4, 0, 1, 4
        GEMM    tess_gemm2_clamp_s8__dsp, 2, 0, 1, 2
        GEMM    tess_gemm1_clamp_s8__dsp, 1, 0, 1, 2
        GEMM_RAW tess_gemm4_raw_s8__dsp, 4, 4
        GEMM_RAW tess_gemm2_raw_s8__dsp, 2, 2
        GEMM_RAW tess_gemm1_raw_s8__dsp, 1, 2
