#include "tessera/conv2d_dsp.h"

#include <stdbool.h>

#include "expand_s8.h"
#include "gemm_s8.h"
#include "instructions.h"
#include "tessera/status.h"
#include "tessera/tess_math.h"
#include "tessera/window.h"
#include "tessera/words.h"

#define ODD_MASK 0x007f007fu /* X1 = W ^ ODD_MASK, see gemm_s8.S */

/* Columns of one output row: what is the same for all of its windows, and what the next step needs. */
struct tess_conv2d_row_s8 {
    const tess_conv2d_s8_dsp_t *op;
    const int8_t *const *rows;
    bool rows_inside; /* none of them is NULL */
    int32_t row_end;  /* columns behind it need not be there */
    uint32_t *block;  /* of expanded windows */
    int8_t *strip;    /* for what the border cuts off */
    tess_expand_s8_t window;
    tess_gemm_s8_t run;
};

tess_gemm_s8_kernel_t *const tess_gemm_relu_s8__dsp[3] = {tess_gemm1_relu_s8__dsp, tess_gemm2_relu_s8__dsp,
                                                          tess_gemm4_relu_s8__dsp};
tess_gemm_s8_kernel_t *const tess_gemm_linear_s8__dsp[3] = {tess_gemm1_linear_s8__dsp, tess_gemm2_linear_s8__dsp,
                                                            tess_gemm4_linear_s8__dsp};
tess_gemm_s8_kernel_t *const tess_gemm_relu_clamp_s8__dsp[3] = {
    tess_gemm1_relu_clamp_s8__dsp, tess_gemm2_relu_clamp_s8__dsp, tess_gemm4_relu_clamp_s8__dsp};
tess_gemm_s8_kernel_t *const tess_gemm_clamp_s8__dsp[3] = {tess_gemm1_clamp_s8__dsp, tess_gemm2_clamp_s8__dsp,
                                                           tess_gemm4_clamp_s8__dsp};
tess_gemm_s8_kernel_t *const tess_gemm_raw_s8__dsp[3] = {tess_gemm1_raw_s8__dsp, tess_gemm2_raw_s8__dsp,
                                                         tess_gemm4_raw_s8__dsp};

/* ---- input blocks ---- */

/* As tess_expand4_s8__dsp, one or two pixels; inlined into the two cases. */
static inline uint32_t *expand_few(const tess_expand_s8_t *window, uint32_t *block, int32_t pixels)
{
    for (int32_t ky = 0; ky < window->row_count; ++ky) {
        const int8_t *in = window->rows[ky] + window->offset;

        for (int32_t i = 0; i < window->bytes; i += 4, block += 2 * pixels) {
            const int8_t *at = in + tess_min(i, window->bytes - 4);

            for (int32_t p = 0; p < pixels; ++p) {
                const uint32_t word = tess_load_word(at + p * window->distance);

                block[p] = tess_sxtb16(word);
                block[pixels + p] = word ^ ODD_MASK;
            }
        }
    }
    return block;
}

static uint32_t *expand(const tess_expand_s8_t *window, uint32_t *block, int32_t pixels)
{
    switch (pixels) {
    case 4:
        return tess_expand4_s8__dsp(window, block);
    case 2:
        return expand_few(window, block, 2);
    default:
        return expand_few(window, block, 1);
    }
}

/* As many words of every pixel as `bytes` take, all of them the zero point. */
static uint32_t *expand_zero_point(int32_t zero_point, uint32_t *block, int32_t bytes, int32_t pixels)
{
    const uint32_t word = ((uint32_t)zero_point & 0xffu) * 0x01010101u;
    const uint32_t even = tess_sxtb16(word), odd = word ^ ODD_MASK;

    for (int32_t i = 0; i < bytes; i += 4, block += 2 * pixels) {
        for (int32_t p = 0; p < pixels; ++p) {
            block[p] = even;
            block[pixels + p] = odd;
        }
    }
    return block;
}

/* `bytes` of a row from column `first` on, with the zero point in place of what lies outside columns [0, end). */
static void copy_border(const tess_conv2d_s8_dsp_t *op, const int8_t *row, int32_t first, int32_t end, int32_t bytes,
                        int8_t *strip)
{
    const int32_t c = op->in.c;
    const int32_t to = row == NULL ? 0 : tess_max(tess_min((end - first) * c, bytes), 0);
    const int32_t from = tess_min(tess_max(-first * c, 0), to);

    memset(strip, op->in_zero_point, (size_t)from);
    if (from < to) {
        tess_copy_bytes(strip + from, row + first * c + from, to - from);
    }
    memset(strip + to, op->in_zero_point, (size_t)(bytes - to));
}

/* The windows' columns are all there. */
static inline bool columns_inside(const tess_conv2d_row_s8_t *row, int32_t first, int32_t bytes)
{
    return first >= 0 && first * row->op->in.c + bytes <= row->row_end * row->op->in.c;
}

/* Row by row: those outside the map are zero points, and if the columns are not all there, copies of the others. */
static void expand_border(tess_conv2d_row_s8_t *row, int32_t first, int32_t bytes, bool inside, int32_t pixels)
{
    const tess_conv2d_s8_dsp_t *op = row->op;
    tess_expand_s8_t window = row->window;
    const int8_t *in;
    uint32_t *block = row->block;

    window.rows = &in;
    window.row_count = 1;
    window.offset = 0;
    for (int32_t ky = 0; ky < op->kernel_h; ++ky) {
        if (row->rows[ky] == NULL) {
            block = expand_zero_point(op->in_zero_point, block, window.bytes, pixels);
            continue;
        }
        if (inside) {
            in = row->rows[ky] + first * op->in.c;
        } else {
            in = row->strip;
            copy_border(op, row->rows[ky], first, row->row_end, bytes, row->strip);
        }
        block = expand(&window, block, pixels);
    }
}

void tess_conv2d_expand_s8__dsp(tess_conv2d_row_s8_t *row, int32_t first, int32_t pixels)
{
    const int32_t bytes = (pixels - 1) * row->window.distance + row->window.bytes;
    const bool inside = columns_inside(row, first, bytes);

    if (inside && row->rows_inside) {
        row->window.offset = first * row->op->in.c;
        expand(&row->window, row->block, pixels);
    } else {
        expand_border(row, first, bytes, inside, pixels);
    }
}

/* The nine bytes of three rows of a pixel. */
static void expand_3x3x3(const int8_t *const rows[3], int32_t offset, uint32_t *block, int32_t pixels)
{
    uint32_t words[7] = {0};

    for (int32_t ky = 0; ky < 3; ++ky) {
        const int8_t *row = rows[ky] + offset;

        words[2 * ky] = tess_load_word(row);
        words[2 * ky + 1] = tess_load_word(row + 4);
        words[6] |= (uint32_t)(uint8_t)row[8] << (8 * ky);
    }
    for (int32_t i = 0; i < 7; ++i, block += 2 * pixels) {
        block[0] = tess_sxtb16(words[i]);
        block[pixels] = words[i] ^ ODD_MASK;
    }
}

void tess_conv2d_expand_3x3x3_s8__dsp(tess_conv2d_row_s8_t *row, int32_t first, int32_t pixels)
{
    const int32_t distance = row->window.distance, bytes = (pixels - 1) * distance + 9;
    const bool inside = row->rows_inside && columns_inside(row, first, bytes);
    const int8_t *in[3];

    for (int32_t ky = 0; ky < 3; ++ky) {
        int8_t *copy = row->strip + ky * bytes;
        in[ky] = inside ? row->rows[ky] + first * 3 : copy;
        if (!inside) {
            copy_border(row->op, row->rows[ky], first, row->row_end, bytes, copy);
        }
    }
    if (pixels == 4) {
        tess_expand4_3x3x3_s8__dsp(in, distance, row->block);
    } else {
        for (int32_t p = 0; p < pixels; ++p) {
            expand_3x3x3(in, p * distance, row->block + p, pixels);
        }
    }
}

/* The sum of products of one pixel and one channel. weights: start | V * words; x: of the pixel in an input block. */
static int32_t dot(const int32_t *weights, int32_t words, const uint32_t *x, int32_t pixels)
{
    int32_t sum = *weights++;

    for (; words > 0; --words, x += 2 * pixels) {
        const uint32_t word = (uint32_t)*weights++;

        sum = tess_smlad(word, x[0], sum);
        sum = tess_smlad(tess_sxtb16(word), x[pixels], sum);
    }
    return sum >> 8;
}

/* Of every pixel a last word: t, the sum of products with the negative zero point of the weights, as t % 64 and t / 64.
 */
static void add_zero_point_words(const tess_conv2d_row_s8_t *row, int32_t pixels)
{
    const int32_t words = row->op->words - 1;
    uint32_t *last = row->block + 2 * pixels * words;

    for (int32_t p = 0; p < pixels; ++p) {
        const int32_t t = dot(row->op->zero_point_weights, words, row->block + p, pixels);

        last[p] = ((uint32_t)t & 63u) | (uint32_t)(t >> 6) << 16;
        last[pixels + p] = 0;
    }
}

void tess_conv2d_expand_centred_s8__dsp(tess_conv2d_row_s8_t *row, int32_t first, int32_t pixels)
{
    tess_conv2d_expand_s8__dsp(row, first, pixels);
    add_zero_point_words(row, pixels);
}

void tess_conv2d_expand_3x3x3_centred_s8__dsp(tess_conv2d_row_s8_t *row, int32_t first, int32_t pixels)
{
    tess_conv2d_expand_3x3x3_s8__dsp(row, first, pixels);
    add_zero_point_words(row, pixels);
}

/* ---- products ---- */

/* Steps of a kernel's first pass over `words`. */
static inline int32_t entry_of(int32_t words, int32_t pixels)
{
    return (words - 1) & (pixels == 4 ? 3 : 1);
}

/* The last one of an odd number of channels; `weights` as for tess_conv2d_multiply_wide_s8__dsp. */
static void multiply_last(const tess_conv2d_s8_dsp_t *op, int32_t pixels, const uint32_t *block, const int32_t *weights,
                          int8_t *out)
{
    for (int32_t p = 0; p < pixels; ++p, ++block, out += op->out.c) {
        const uint32_t *x = block;
        const int32_t *w = weights;
        int32_t acc = 0;

        for (int32_t left = op->words; left > 0; left -= TESS_CONV2D_DSP_CHUNK_WORDS) {
            const int32_t words = tess_min(left, TESS_CONV2D_DSP_CHUNK_WORDS);

            acc += dot(w, words, x, pixels);
            w += 1 + words;
            x += 2 * pixels * words;
        }
        acc = tess_rescale((int32_t)((uint32_t)acc + (uint32_t)w[0]), w[1], w[2]);
        *out = tess_clamp_s8(op->zero_point + acc, op->min, op->max);
    }
}

void tess_conv2d_multiply_packed_s8__dsp(tess_conv2d_row_s8_t *row, int32_t pixels, int8_t *out)
{
    const tess_conv2d_s8_dsp_t *op = row->op;

    if (row->run.weights != row->run.weights_end) {
        row->run.x_end = row->block + 2 * pixels * op->words;
        row->run.out = out;
        row->run.entry = entry_of(op->words, pixels);
        op->kernels[pixels >> 1](&row->run);
    }
    if ((op->out.c & 1) != 0) {
        multiply_last(op, pixels, row->block, row->run.weights_end, out + op->out.c - 1);
    }
}

/* Sums of a pair of channels over all chunks, without bias. acc [pixels][2]. @return what follows their weights. */
static const int32_t *sum_pair(const tess_conv2d_s8_dsp_t *op, int32_t pixels, const uint32_t *block,
                               const int32_t *weights, int32_t acc[8])
{
    int32_t sum[8];

    for (int32_t i = 0; i < 2 * pixels; ++i) {
        acc[i] = 0;
    }
    for (int32_t left = op->words; left > 0; left -= TESS_CONV2D_DSP_CHUNK_WORDS) {
        const int32_t words = tess_min(left, TESS_CONV2D_DSP_CHUNK_WORDS);
        const tess_gemm_s8_t run = {
            .x = block,
            .x_end = block + 2 * pixels * words,
            .weights = weights,
            .out = sum,
            .entry = entry_of(words, pixels),
        };

        op->kernels[pixels >> 1](&run);
        for (int32_t i = 0; i < 2 * pixels; ++i) {
            acc[i] += sum[i] >> 8;
        }
        block = run.x_end;
        weights += 2 + 2 * words;
    }
    return weights;
}

void tess_conv2d_multiply_wide_s8__dsp(tess_conv2d_row_s8_t *row, int32_t pixels, int8_t *out)
{
    const tess_conv2d_s8_dsp_t *op = row->op;
    const int32_t *weights = op->weights;
    int32_t channel = 0, acc[8];

    for (; channel + 2 <= op->out.c; channel += 2) {
        const int32_t *each = sum_pair(op, pixels, row->block, weights, acc);

        for (int32_t i = 0; i < 2; ++i, each += 3) {
            for (int32_t p = 0; p < pixels; ++p) {
                const int32_t sum = (int32_t)((uint32_t)acc[2 * p + i] + (uint32_t)each[0]);
                const int32_t value = op->zero_point + tess_rescale(sum, each[1], each[2]);
                out[p * op->out.c + channel + i] = tess_clamp_s8(value, op->min, op->max);
            }
        }
        weights = each;
    }
    if (channel < op->out.c) {
        multiply_last(op, pixels, row->block, weights, out + channel);
    }
}

/* ---- maps ---- */

static bool all_there(const int8_t *const *rows, int32_t count)
{
    for (int32_t i = 0; i < count; ++i) {
        if (rows[i] == NULL) {
            return false;
        }
    }
    return true;
}

/* Columns [x_begin, x_end) of a row. */
static void conv2d_row(const tess_conv2d_s8_dsp_t *op, const int8_t *const *rows, int32_t x_begin, int32_t x_end,
                       int8_t *out, uint32_t *block)
{
    const int32_t needed = (x_end - 1) * op->stride_w - op->pad_left + op->kernel_w;
    const int32_t pair_words = 2 * op->words + 8;
    tess_conv2d_row_s8_t row = {
        .op = op,
        .rows = rows,
        .rows_inside = all_there(rows, op->kernel_h),
        .row_end = tess_min(needed, op->in.w),
        .block = block,
        .strip = (int8_t *)(block + 2 * op->pixels * op->words),
        .window =
            {
                .rows = rows,
                .row_count = op->kernel_h,
                .distance = op->stride_w * op->in.c,
                .bytes = tess_max(op->kernel_w * op->in.c, 4), /* weights of what is read too much are 0 */
            },
        .run =
            {
                .x = block,
                .weights = op->weights,
                .weights_end = op->weights + (op->out.c >> 1) * pair_words,
                .stride = op->out.c,
                .raise = (uint32_t)(255 - (op->max - op->min)) * 0x01010101u,
                .settle = ((uint32_t)(op->max - 255) & 0xffu) * 0x01010101u,
            },
    };
    int32_t pixels, first = x_begin * op->stride_w - op->pad_left;

    TESS_ASSERT(x_begin >= 0 && x_begin <= x_end && x_end <= op->out.w);
    TESS_ASSERT(((uintptr_t)block & 3) == 0);
    for (int32_t x = x_begin; x < x_end; x += pixels, first += pixels * op->stride_w) {
        pixels = tess_min(x_end - x >= 4 ? 4 : x_end - x >= 2 ? 2 : 1, op->pixels);
        op->expand(&row, first, pixels);
        op->multiply(&row, pixels, out);
        out += pixels * op->out.c;
    }
}

void tess_conv2d_s8__dsp(const tess_conv2d_s8_dsp_t *op, const int8_t *in, int8_t *out, void *scratch)
{
    const int8_t *rows[TESS_MAX_KERNEL_H];

    for (int32_t y = 0; y < op->out.h; ++y, out += op->out.w * op->out.c) {
        tess_window_rows(in, &op->in, y * op->stride_h - op->pad_top, op->kernel_h, rows);
        conv2d_row(op, rows, 0, op->out.w, out, scratch);
    }
}

void tess_conv2d_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                              int8_t *out, void *scratch)
{
    (void)y;
    conv2d_row(op, rows, x_begin, x_end, out, scratch);
}
