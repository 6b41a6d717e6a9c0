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
        asr     \a, \a, #7                             @ 256*acc -> 2*acc
        .if \relu
        smmlar  \a, \a, r8, r9
        .else
        smmlar  r12, \a, r8, r9
        add     \a, r12, \a, asr #31
        .endif
        asr     \a, \a, r10
        .if \clamp
        usat    \a, #8, \a
        .else
        ssat    \a, #8, \a
        .endif
        .endm
