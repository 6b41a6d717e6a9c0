#include "tessera/fully_connected_dsp.h"

#include "fully_connected_groups_s8.h"
#include "instructions.h"
#include "tessera/status.h"
#include "tessera/tess_math.h"

enum { GROUP = 4, WORD = 4 };
#define ODD_MASK 0x007f007fu /* X1 = W ^ ODD_MASK, see gemm_s8.S */

/* x: the whole words of a row of input as the kernels take them, each in word_bytes. */
static inline void compute_row(const tess_fully_connected_s8_dsp_t *op, const int8_t *in, const uint8_t *x,
                               int32_t word_bytes, tess_fully_connected_kernel_s8_t *four,
                               tess_fully_connected_kernel_s8_t *one, int8_t *out)
{
    const int32_t words = op->in_c / WORD, in_groups = op->out_c / GROUP * GROUP;
    const int32_t *weights = op->weights;
    tess_fully_connected_groups_s8_t run = {
        .bias = op->bias,
        .multiplier = op->multiplier,
        .shift = op->shift,
        .out = out,
        .out_end = out + in_groups,
        .requant_step = op->requant_step,
        .offset = 2 * op->zero_point + 1,
        .x = x,
        .x_end = x + words * word_bytes,
        .chunk_bytes = op->chunk_words * word_bytes,
        .last = in + words * WORD,
        .last_end = in + op->in_c,
    };

    TESS_ASSERT(op->in_c > 0 && op->out_c > 0 && op->chunk_words > 0);
    if (in_groups > 0) {
        weights = four(weights, &run);
    }
    run.out_end = out + op->out_c;
    if (in_groups < op->out_c) {
        one(weights, &run);
    }
    for (int32_t c = 0; (op->min > INT8_MIN || op->max < INT8_MAX) && c < op->out_c; ++c) {
        out[c] = tess_clamp_s8(out[c], op->min, op->max);
    }
}

void tess_fully_connected_s8__dsp(const tess_fully_connected_s8_dsp_t *op, const int8_t *in, int8_t *out, int32_t rows)
{
    for (int32_t r = 0; r < rows; ++r, in += op->in_c, out += op->out_c) {
        const uint8_t *x = (const uint8_t *)in;
        compute_row(op, in, x, WORD, tess_fully_connected4_s8__dsp, tess_fully_connected1_s8__dsp, out);
    }
}

void tess_fully_connected_expanded_s8__dsp(const tess_fully_connected_s8_dsp_t *op, const int8_t *in, int8_t *out,
                                           int32_t rows, void *scratch)
{
    uint32_t *x = scratch;

    for (int32_t r = 0; r < rows; ++r, in += op->in_c, out += op->out_c) {
        for (int32_t i = 0; i < op->in_c / WORD; ++i) {
            const uint32_t word = tess_load_word(in + WORD * i);
            x[2 * i] = tess_sxtb16(word);
            x[2 * i + 1] = word ^ ODD_MASK;
        }
        compute_row(op, in, scratch, 2 * WORD, tess_fully_connected4_expanded_s8__dsp,
                    tess_fully_connected1_expanded_s8__dsp, out);
    }
}
