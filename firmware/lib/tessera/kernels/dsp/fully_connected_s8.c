#include "tessera/fully_connected_dsp.h"

#include "fully_connected_dots_s8.h"
#include "instructions.h"
#include "tessera/status.h"
#include "tessera/tess_math.h"

enum { GROUP = 4, LAST_MASK = 3 };
#define ODD_MASK 0x007f007fu /* X1 = W ^ ODD_MASK, see gemm_s8.S */

/* How a row of the input is read. */
typedef struct {
    const int8_t *in;
    const uint8_t *x; /* what the dot products take */
    int32_t word_bytes;
    tess_dot_s8_t *dot4, *dot1;
} row_t;

/* Adds the products of `channels` output channels to their sums; @return the end of their weights. */
static inline const int32_t *add_products(const tess_fully_connected_s8_dsp_t *op, const row_t *row, tess_dot_s8_t *dot,
                                          int32_t channels, const int32_t *weights, int32_t *sums)
{
    const uint8_t *x = row->x;
    const int8_t *in = row->in + (op->in_c & ~LAST_MASK);
    const int32_t last = op->in_c & LAST_MASK;

    for (int32_t left = op->in_c / 4; left > 0; left -= op->chunk_words) {
        const int32_t words = tess_min(left, op->chunk_words);
        weights = dot(weights, x, words, sums);
        x += words * row->word_bytes;
    }
    const int8_t *last_weights = (const int8_t *)weights;
    for (int32_t i = 0; i < last; ++i) {
        for (int32_t c = 0; c < channels; ++c) {
            sums[c] += in[i] * *last_weights++;
        }
    }
    return weights + (last * channels + 3) / 4;
}

/* Output channels [c, c + count) from their sums. */
static inline void requantize(const tess_fully_connected_s8_dsp_t *op, const int32_t *sums, int32_t c, int32_t count,
                              int8_t *out)
{
    const int32_t step = op->requant_step, offset = 2 * op->zero_point + 1; /* the zero point and one half, doubled */
    const int32_t *multiplier = op->multiplier + c * step;
    const int8_t *shift = op->shift + c * step;

    for (int32_t i = 0; i < count; ++i, multiplier += step, shift += step) {
        out[i] = (int8_t)tess_ssat8(tess_smmla(sums[i], *multiplier, offset * (1 << (*shift - 1))) >> *shift);
    }
    for (int32_t i = 0; (op->min > INT8_MIN || op->max < INT8_MAX) && i < count; ++i) {
        out[i] = tess_clamp_s8(out[i], op->min, op->max);
    }
}

static void compute_row(const tess_fully_connected_s8_dsp_t *op, const row_t *row, int8_t *out)
{
    const int32_t *weights = op->weights;
    int32_t sums[GROUP], c = 0;

    for (; c + GROUP <= op->out_c; c += GROUP) {
        memcpy(sums, op->bias + c, sizeof sums);
        weights = add_products(op, row, row->dot4, GROUP, weights, sums);
        requantize(op, sums, c, GROUP, out + c);
    }
    for (; c < op->out_c; ++c) {
        sums[0] = op->bias[c];
        weights = add_products(op, row, row->dot1, 1, weights, sums);
        requantize(op, sums, c, 1, out + c);
    }
}

void tess_fully_connected_s8__dsp(const tess_fully_connected_s8_dsp_t *op, const int8_t *in, int8_t *out, int32_t rows)
{
    TESS_ASSERT(op->in_c > 0 && op->out_c > 0 && op->chunk_words > 0);
    for (int32_t r = 0; r < rows; ++r, in += op->in_c, out += op->out_c) {
        const row_t row = {in, (const uint8_t *)in, 4, tess_dot4_s8__dsp, tess_dot1_s8__dsp};
        compute_row(op, &row, out);
    }
}

void tess_fully_connected_expanded_s8__dsp(const tess_fully_connected_s8_dsp_t *op, const int8_t *in, int8_t *out,
                                           int32_t rows, void *scratch)
{
    const int32_t words = op->in_c / 4;
    uint32_t *x = scratch;

    TESS_ASSERT(op->in_c > 0 && op->out_c > 0 && op->chunk_words > 0);
    for (int32_t r = 0; r < rows; ++r, in += op->in_c, out += op->out_c) {
        for (int32_t i = 0; i < words; ++i) {
            const uint32_t word = tess_load_word(in + 4 * i);
            x[2 * i] = tess_sxtb16(word);
            x[2 * i + 1] = word ^ ODD_MASK;
        }
        const row_t row = {in, scratch, 8, tess_dot4_expanded_s8__dsp, tess_dot1_expanded_s8__dsp};
        compute_row(op, &row, out);
    }
}
