/* What the assembly files of this folder begin with. */
/* clang-format off */

        .syntax unified
        .thumb
        .cpu cortex-m4

        .macro  FUNCTION name                          @ in a section of its own, so that what is unused is not linked
        .section .text.\name, "ax", %progbits
        .global \name
        .type   \name, %function
        .thumb_func
        .p2align 2
\name:
        .endm

        .macro  REQUANTIZE a, relu, clamp              @ see gemm_s8.S; r8 multiplier, r9 k, r10 shift; uses r12
        .if \relu
        smmla   \a, \a, r8, r9
        .else
        smmla   r12, \a, r8, r9
        asr     \a, \a, #31
        add     \a, r12, \a, lsl #7
        .endif
        asr     \a, \a, r10
        .if \clamp
        usat    \a, #8, \a
        .else
        ssat    \a, #8, \a
        .endif
        .endm
