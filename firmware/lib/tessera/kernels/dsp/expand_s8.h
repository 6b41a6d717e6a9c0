/** Input blocks of the matrix kernels of gemm_s8.S. */
#ifndef TESSERA_DSP_EXPAND_S8_H
#define TESSERA_DSP_EXPAND_S8_H

#include <stdint.h>

/** What a block is made from; expand_s8.S knows the order of its fields. */
typedef struct {
    const int8_t *const *rows; /**< [row_count], none of them NULL */
    int32_t row_count;
    int32_t offset;   /**< bytes from a row's pointer to the first pixel's values */
    int32_t distance; /**< bytes from one pixel's values to the next one's */
    int32_t bytes;    /**< of a pixel in each row, >= 4 */
} tess_expand_s8_t;

/**
 * Of every row four pixels: words from the front, then if bytes is not a multiple of 4 the last four bytes. block is
 * aligned to 4 bytes. @return its end.
 */
uint32_t *tess_expand4_s8__dsp(const tess_expand_s8_t *window, uint32_t *block);

/** Four pixels of nine bytes in each of three rows: of each row eight bytes, then its last ones together. */
void tess_expand4_3x3x3_s8__dsp(const int8_t *const rows[3], int32_t distance, uint32_t *block);

#endif
