/**
 * Fully connected layers on int8 with the DSP instructions of Armv7E-M, bit-exact with fully_connected.h.
 * tools/tessera/kernels/dsp/fully_connected.py packs the weights and proves what is said of numbers here.
 */
#ifndef TESSERA_FULLY_CONNECTED_DSP_H
#define TESSERA_FULLY_CONNECTED_DSP_H

#include "tessera/types.h"

/**
 * weights: per group of G = 4 output channels, then per single one (G = 1), the whole words of in_c / 4 in chunks,
 *     starts of G channels, a byte each, in one word | (V of G channels) * words of the chunk
 * then the last in_c % 4 weights, bytes [in_c % 4][G] filled up to a word. kernels/dsp/fully_connected_groups_s8.S says
 * what V and starts are. The zero point of the input is part of the bias.
 */
typedef struct {
    int32_t in_c, out_c;
    int32_t chunk_words; /**< words of a chunk but the last, whose sums stay in 24 bits */
    const int32_t *weights;
    const int32_t *bias; /**< [out_c] */
    /* [out_c], or one for all where requant_step is 0: out = zero_point + acc * multiplier / 2^(32 + shift), rounded;
     * no product lies half way between two values of the output. */
    const int32_t *multiplier; /**< in [0, 2^31) */
    const int8_t *shift;       /**< in [1, 23] */
    int32_t requant_step;      /**< 0 or 1 */
    int32_t zero_point;
    int32_t min, max; /**< fused activation as output values, -128 <= min <= max <= 127 */
} tess_fully_connected_s8_dsp_t;

/** in [rows][in_c], out [rows][out_c]. out row r must not overlap in row r or a later one. */
void tess_fully_connected_s8__dsp(const tess_fully_connected_s8_dsp_t *op, const int8_t *in, int8_t *out, int32_t rows);

/** The same, each input word made ready once. scratch: 8 bytes for each whole word of in_c, aligned to 4. */
void tess_fully_connected_expanded_s8__dsp(const tess_fully_connected_s8_dsp_t *op, const int8_t *in, int8_t *out,
                                           int32_t rows, void *scratch);

#endif
