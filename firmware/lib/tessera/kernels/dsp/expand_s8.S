@ Input blocks of the matrix kernels of gemm_s8.S: four pixels' bytes to pairs of int16, 13 instructions for 16 bytes.

#include "assembly.h"

@ tess_expand_s8_t as on the stack
        .equ    EXPAND_ROW_COUNT, 4
        .equ    EXPAND_BACK, 20

@ Four bytes of the pixels at r0..r3 to the block at r12; uses r4..r11.
        .macro  EXPAND_WORD
        ldr     r8, [r0], #4
        ldr     r9, [r1], #4
        ldr     r10, [r2], #4
        ldr     r11, [r3], #4
        EXPAND_LOADED
        .endm

        .macro  EXPAND_LOADED
        sxtb16  r4, r8
        sxtb16  r5, r9
        sxtb16  r6, r10
        sxtb16  r7, r11
        eor     r8, r8, #0x007f007f
        eor     r9, r9, #0x007f007f
        eor     r10, r10, #0x007f007f
        eor     r11, r11, #0x007f007f
        stm     r12!, {r4-r11}
        .endm

@ uint32_t *tess_expand4_s8__dsp(const tess_expand_s8_t *window, uint32_t *block)
        FUNCTION tess_expand4_s8__dsp
        push    {r4-r11, lr}
        mov     r12, r1
        ldm     r0, {r4-r8}                            @ rows, row count, offset, distance, bytes
        rsb     r9, r8, #0
        and     r9, r9, #3                             @ bytes that the last word has in common with the one before
        lsr     r8, r8, #2
        lsl     r8, r8, #5                             @ of the block, for the whole words of a row
        push    {r4-r9}
1:      ldm     sp, {r4-r8}
        ldr     r0, [r4], #4
        str     r4, [sp]
        add     r0, r0, r6
        add     r1, r0, r7
        add     r2, r1, r7
        add     r3, r2, r7
        add     lr, r12, r8
2:      EXPAND_WORD
        cmp     r12, lr
        bne     2b
        ldr     r4, [sp, #EXPAND_BACK]
        cbz     r4, 3f
        sub     r0, r0, r4
        sub     r1, r1, r4
        sub     r2, r2, r4
        sub     r3, r3, r4
        EXPAND_WORD
3:      ldr     r4, [sp, #EXPAND_ROW_COUNT]
        subs    r4, r4, #1
        str     r4, [sp, #EXPAND_ROW_COUNT]
        bne     1b
        mov     r0, r12
        add     sp, sp, #24
        pop     {r4-r11, pc}
        .size   tess_expand4_s8__dsp, . - tess_expand4_s8__dsp

@ void tess_expand4_3x3x3_s8__dsp(const int8_t *const rows[3], int32_t distance, uint32_t *block)
        FUNCTION tess_expand4_3x3x3_s8__dsp
        push    {r1, r4-r11, lr}
        mov     r12, r2
        mov     lr, r0
        .rept   3
        ldr     r0, [lr], #4
        ldr     r3, [sp]
        add     r1, r0, r3
        add     r2, r1, r3
        add     r3, r2, r3
        EXPAND_WORD
        EXPAND_WORD
        .endr
        ldrd    r0, r1, [lr, #-12]
        ldr     r2, [lr, #-4]
        ldr     r3, [sp]
        .irp    word, r8, r9, r10, r11                 @ of every pixel the last byte of each row
        ldrb    \word, [r0, #8]
        ldrb    r4, [r1, #8]
        ldrb    r5, [r2, #8]
        orr     \word, \word, r4, lsl #8
        orr     \word, \word, r5, lsl #16
        .ifnc   \word, r11
        add     r0, r0, r3
        add     r1, r1, r3
        add     r2, r2, r3
        .endif
        .endr
        EXPAND_LOADED
        pop     {r1, r4-r11, pc}
        .size   tess_expand4_3x3x3_s8__dsp, . - tess_expand4_3x3x3_s8__dsp
