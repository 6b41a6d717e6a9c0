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
static inline bool columns_inside(const tess_conv2d_s8_dsp_t *op, int32_t first, int32_t span, int32_t row_end)
{
    return first >= 0 && first * op->in.c + span <= row_end * op->in.c;
}

static inline bool rows_inside(const int8_t *const *rows, int32_t count)
{
    for (int32_t ky = 0; ky < count; ++ky) {
        if (rows[ky] == NULL) {
            return false;
        }
    }
    return true;
}

uint32_t *tess_conv2d_expand_s8__dsp(const tess_conv2d_s8_dsp_t *op, const int8_t *const *rows, int32_t x,
                                     int32_t pixels, int32_t row_end, uint32_t *block, int8_t *strip)
{
    const int32_t c = op->in.c, first = x * op->stride_w - op->pad_left;
    const int32_t bytes = tess_max(op->kernel_w * c, 4); /* weights of what is read too much are 0 */
    const int32_t span = (pixels - 1) * op->stride_w * c + bytes;
    const bool inside = columns_inside(op, first, span, row_end);
    tess_expand_s8_t window = {
        .rows = rows,
        .row_count = op->kernel_h,
        .offset = first * c,
        .distance = op->stride_w * c,
        .bytes = bytes,
    };

    if (inside && rows_inside(rows, op->kernel_h)) {
        return expand(&window, block, pixels);
    }
    const int8_t *copy = strip;

    window.row_count = 1;
    if (!inside) {
        window.rows = &copy;
        window.offset = 0;
    }
    for (int32_t ky = 0; ky < op->kernel_h; ++ky) {
        if (rows[ky] == NULL) {
            block = expand_zero_point(op->in_zero_point, block, bytes, pixels);
        } else {
            if (inside) {
                window.rows = rows + ky;
            } else {
                copy_border(op, rows[ky], first, row_end, span, strip);
            }
            block = expand(&window, block, pixels);
        }
    }
    return block;
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

uint32_t *tess_conv2d_expand_3x3x3_s8__dsp(const tess_conv2d_s8_dsp_t *op, const int8_t *const *rows, int32_t x,
                                           int32_t pixels, int32_t row_end, uint32_t *block, int8_t *strip)
{
    const int32_t first = x * op->stride_w - op->pad_left, distance = op->stride_w * 3;
    const int32_t span = (pixels - 1) * distance + 9;
    const bool inside = columns_inside(op, first, span, row_end) && rows_inside(rows, 3);
    const int8_t *in[3];

    for (int32_t ky = 0; ky < 3; ++ky) {
        int8_t *copy = strip + ky * span;
        in[ky] = inside ? rows[ky] + first * 3 : copy;
        if (!inside) {
            copy_border(op, rows[ky], first, row_end, span, copy);
        }
    }
    if (pixels == 4) {
        tess_expand4_3x3x3_s8__dsp(in, distance, block);
    } else {
        for (int32_t p = 0; p < pixels; ++p) {
            expand_3x3x3(in, p * distance, block + p, pixels);
        }
    }
    return block + 2 * 7 * pixels;
}

/* ---- products ---- */

/* One call's parts of a chunk of the window's words. */
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
            int32_t sum = *w++;

            for (int32_t i = tess_min(left, TESS_CONV2D_DSP_CHUNK_WORDS); i > 0; --i, x += 2 * pixels) {
                const uint32_t word = (uint32_t)*w++;

                sum = tess_smlad(word, x[0], sum);
                sum = tess_smlad(tess_sxtb16(word), x[pixels], sum);
            }
            acc += sum >> 8;
        }
        acc = tess_rescale((int32_t)((uint32_t)acc + (uint32_t)w[0]), w[1], w[2]);
        *out = tess_clamp_s8(op->zero_point + acc, op->min, op->max);
    }
}

/* Inlined into the variants, so that only their kernels are linked. */
static inline void multiply(const tess_conv2d_s8_dsp_t *op, int32_t pixels, const uint32_t *block,
                            const uint32_t *block_end, int8_t *out, tess_gemm_s8_kernel_t *kernel4,
                            tess_gemm_s8_kernel_t *kernel2, tess_gemm_s8_kernel_t *kernel1)
{
    const int32_t pairs = op->out.c >> 1;
    const int32_t *last = op->weights + pairs * (2 * op->words + 8);
    const tess_gemm_s8_t run = {
        .x = block,
        .x_end = block_end,
        .weights = op->weights,
        .weights_end = last,
        .out = out,
        .stride = op->out.c,
        .entry = entry_of(op->words, pixels),
        .raise = (uint32_t)(255 - (op->max - op->min)) * 0x01010101u,
        .settle = ((uint32_t)(op->max - 255) & 0xffu) * 0x01010101u,
    };

    if (pairs > 0) {
        (pixels == 4 ? kernel4 : pixels == 2 ? kernel2 : kernel1)(&run);
    }
    if ((op->out.c & 1) != 0) {
        multiply_last(op, pixels, block, last, out + 2 * pairs);
    }
}

void tess_conv2d_multiply_relu_s8__dsp(const tess_conv2d_s8_dsp_t *op, int32_t pixels, const uint32_t *block,
                                       const uint32_t *block_end, int8_t *out)
{
    multiply(op, pixels, block, block_end, out, tess_gemm4_relu_s8__dsp, tess_gemm2_relu_s8__dsp,
             tess_gemm1_relu_s8__dsp);
}

void tess_conv2d_multiply_linear_s8__dsp(const tess_conv2d_s8_dsp_t *op, int32_t pixels, const uint32_t *block,
                                         const uint32_t *block_end, int8_t *out)
{
    multiply(op, pixels, block, block_end, out, tess_gemm4_linear_s8__dsp, tess_gemm2_linear_s8__dsp,
             tess_gemm1_linear_s8__dsp);
}

void tess_conv2d_multiply_relu_clamp_s8__dsp(const tess_conv2d_s8_dsp_t *op, int32_t pixels, const uint32_t *block,
                                             const uint32_t *block_end, int8_t *out)
{
    multiply(op, pixels, block, block_end, out, tess_gemm4_relu_clamp_s8__dsp, tess_gemm2_relu_clamp_s8__dsp,
             tess_gemm1_relu_clamp_s8__dsp);
}

void tess_conv2d_multiply_clamp_s8__dsp(const tess_conv2d_s8_dsp_t *op, int32_t pixels, const uint32_t *block,
                                        const uint32_t *block_end, int8_t *out)
{
    multiply(op, pixels, block, block_end, out, tess_gemm4_clamp_s8__dsp, tess_gemm2_clamp_s8__dsp,
             tess_gemm1_clamp_s8__dsp);
}

/* Sums of a pair of channels over all chunks, without bias. acc [pixels][2]. @return what follows their weights. */
static const int32_t *sum_pair(const tess_conv2d_s8_dsp_t *op, int32_t pixels, const uint32_t *block,
                               const int32_t *weights, int32_t acc[8])
{
    tess_gemm_s8_kernel_t *kernel = pixels == 4   ? tess_gemm4_raw_s8__dsp
                                    : pixels == 2 ? tess_gemm2_raw_s8__dsp
                                                  : tess_gemm1_raw_s8__dsp;
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

        kernel(&run);
        for (int32_t i = 0; i < 2 * pixels; ++i) {
            acc[i] += sum[i] >> 8;
        }
        block = run.x_end;
        weights += 2 + 2 * words;
    }
    return weights;
}

void tess_conv2d_multiply_wide_s8__dsp(const tess_conv2d_s8_dsp_t *op, int32_t pixels, const uint32_t *block,
                                       const uint32_t *block_end, int8_t *out)
{
    const int32_t *weights = op->weights;
    int32_t channel = 0, acc[8];

    (void)block_end;
    for (; channel + 2 <= op->out.c; channel += 2) {
        const int32_t *each = sum_pair(op, pixels, block, weights, acc);

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
        multiply_last(op, pixels, block, weights, out + channel);
    }
}

/* ---- maps ---- */

/* Columns [x_begin, x_end) of a row. */
static void conv2d_row(const tess_conv2d_s8_dsp_t *op, const int8_t *const *rows, int32_t x_begin, int32_t x_end,
                       int8_t *out, uint32_t *block)
{
    const int32_t needed = (x_end - 1) * op->stride_w - op->pad_left + op->kernel_w;
    const int32_t row_end = tess_min(needed, op->in.w); /* columns behind it need not be there */
    int8_t *strip = (int8_t *)(block + 2 * op->pixels * op->words);
    int32_t pixels;

    TESS_ASSERT(x_begin >= 0 && x_begin <= x_end && x_end <= op->out.w);
    TESS_ASSERT(((uintptr_t)block & 3) == 0);
    for (int32_t x = x_begin; x < x_end; x += pixels) {
        pixels = tess_min(x_end - x >= 4 ? 4 : x_end - x >= 2 ? 2 : 1, op->pixels);
        op->multiply(op, pixels, block, op->expand(op, rows, x, pixels, row_end, block, strip), out);
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
