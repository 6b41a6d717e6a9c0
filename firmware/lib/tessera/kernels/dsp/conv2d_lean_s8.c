#include "tessera/conv2d_lean_dsp.h"

#include <stdbool.h>

#include "gemm_lean_s8.h"
#include "instructions.h"
#include "tessera/status.h"
#include "tessera/tess_math.h"
#include "tessera/window.h"

#define ODD_MASK 0x007f007fu /* X1 = W ^ ODD_MASK, see gemm_s8.S */

tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_relu_s8__dsp[2] = {tess_gemm_lean1_relu_s8__dsp,
                                                                    tess_gemm_lean2_relu_s8__dsp};
tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_linear_s8__dsp[2] = {tess_gemm_lean1_linear_s8__dsp,
                                                                      tess_gemm_lean2_linear_s8__dsp};
tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_relu_clamp_s8__dsp[2] = {tess_gemm_lean1_relu_clamp_s8__dsp,
                                                                          tess_gemm_lean2_relu_clamp_s8__dsp};
tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_clamp_s8__dsp[2] = {tess_gemm_lean1_clamp_s8__dsp,
                                                                     tess_gemm_lean2_clamp_s8__dsp};
tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_row_relu_s8__dsp[2] = {tess_gemm_lean1_relu_s8__dsp,
                                                                        tess_gemm_lean2_row_relu_s8__dsp};
tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_row_linear_s8__dsp[2] = {tess_gemm_lean1_linear_s8__dsp,
                                                                          tess_gemm_lean2_row_linear_s8__dsp};
tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_row_relu_clamp_s8__dsp[2] = {tess_gemm_lean1_relu_clamp_s8__dsp,
                                                                              tess_gemm_lean2_row_relu_clamp_s8__dsp};
tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_row_clamp_s8__dsp[2] = {tess_gemm_lean1_clamp_s8__dsp,
                                                                         tess_gemm_lean2_row_clamp_s8__dsp};

/* A row of columns [x_begin, x_end), and what is the same for all of its windows. */
typedef struct {
    const tess_conv2d_lean_s8_dsp_t *op;
    const int8_t *const *rows;
    int32_t bytes;         /* that are read of a window in each row; weights of what is too much are 0 */
    int32_t row_end;       /* columns behind it need not be there */
    const int32_t *single; /* weights of the channels behind the last group of four */
} row_t;

static uint32_t word_of(int32_t zero_point)
{
    return ((uint32_t)zero_point & 0xffu) * 0x01010101u;
}

/* `bytes` from the one `first` of a row on are all there. */
static inline bool is_inside(const row_t *row, int32_t first, int32_t bytes)
{
    return first >= 0 && first + bytes <= row->row_end * row->op->in.c;
}

/* Four bytes from the one at `at` of a row on, which do not all lie inside [0, end): the zero point where they do not.
 */
static uint32_t border_word(const int8_t *in, int32_t at, int32_t end, int32_t zero_point)
{
    uint32_t word = word_of(zero_point);

    for (int32_t i = tess_max(0, -at); i < tess_min(4, end - at); ++i) {
        word = (word & ~((uint32_t)0xff << (8 * i))) | (uint32_t)(uint8_t)in[at + i] << (8 * i);
    }
    return word;
}

/* Adds the products of the window at byte `first` of its rows to 256 times the sums of some channels, 4 or 1. */
static inline const int32_t *add_products(const row_t *row, int32_t first, const int32_t *weights, int32_t channels,
                                          int32_t sum[4])
{
    for (int32_t ky = 0; ky < row->op->kernel_h; ++ky) {
        const int8_t *in = row->rows[ky];
        const int32_t end = in == NULL ? 0 : row->row_end * row->op->in.c;
        const uint32_t words = (uint32_t)tess_max(end - 3, 0); /* places of a whole word */

        for (int32_t i = 0; i < row->bytes; i += 4) {
            const int32_t at = first + tess_min(i, row->bytes - 4);
            const uint32_t word =
                (uint32_t)at < words ? tess_load_word(in + at) : border_word(in, at, end, row->op->in_zero_point);
            const uint32_t even = tess_sxtb16(word), odd = word ^ ODD_MASK;

#pragma GCC unroll 4
            for (int32_t c = 0; c < channels; ++c) {
                const uint32_t weight = (uint32_t)*weights++;

                sum[c] = tess_smlad(weight, even, sum[c]);
                sum[c] = tess_smlad(tess_sxtb16(weight), odd, sum[c]);
            }
        }
    }
    return weights;
}

/* `sum`: 256 times the accumulator, or what the bias is still missing from. */
static int8_t requantize(const tess_conv2d_lean_s8_dsp_t *op, int32_t sum, const int32_t *each)
{
    int32_t value;

    if (op->kernels == NULL) {
        const int32_t acc = (int32_t)((uint32_t)(sum >> 8) + (uint32_t)each[0]);
        value = op->zero_point + tess_rescale(acc, each[1], each[2]);
    } else {
        const int32_t below_zero = op->min < op->zero_point ? (sum >> 31) * 128 : 0;
        value = op->offset + ((tess_smmla(sum, each[0], each[1]) + below_zero) >> each[2]);
    }
    return tess_clamp_s8(value, op->min, op->max);
}

/* A group of 4 channels or 1. @return the weights of the next one. */
static inline const int32_t *pixel_channels(const row_t *row, int32_t first, const int32_t *weights, int32_t channels,
                                            int8_t *out)
{
    int32_t sum[4];

    for (int32_t c = 0; c < channels; ++c) {
        sum[c] = *weights++;
    }
    weights = add_products(row, first, weights, channels, sum);
    for (int32_t c = 0; c < channels; ++c, weights += 3) {
        out[c] = requantize(row->op, sum[c], weights);
    }
    return weights;
}

static void pixel_groups(const row_t *row, int32_t first, int8_t *out)
{
    const int32_t *weights = row->op->weights;

    for (int32_t c = 0; c + 4 <= row->op->out.c; c += 4) {
        weights = pixel_channels(row, first, weights, 4, out + c);
    }
}

/* The channels behind the last group of four. */
static void pixel_rest(const row_t *row, int32_t first, int8_t *out)
{
    const int32_t *weights = row->single;

    for (int32_t c = row->op->out.c & ~3; c < row->op->out.c; ++c) {
        weights = pixel_channels(row, first, weights, 1, out + c);
    }
}

/* Columns [x_begin, x_end) of a row. */
static void conv2d_row(const tess_conv2d_lean_s8_dsp_t *op, const int8_t *const *rows, int32_t x_begin, int32_t x_end,
                       int8_t *out)
{
    const int32_t c = op->in.c, step = op->stride_w * c, bytes = tess_max(op->kernel_w * c, 4);
    const int32_t needed = (x_end - 1) * op->stride_w - op->pad_left + op->kernel_w;
    const int32_t groups = op->out.c >> 2, row_words = (bytes + 3) >> 2, rest = bytes & 3;
    const int32_t *single = op->weights + groups * 4 * (op->words + 4);
    const row_t row = {op, rows, bytes, tess_min(needed, op->in.w), single};
    const bool has_kernels = groups > 0 && op->kernels != NULL;
    const uint32_t zero = word_of(op->in_zero_point);
    tess_gemm_lean_s8_t run = {
        .rows = rows,
        .row_count = op->kernel_h,
        .distance = step,
        .whole = 16 * (bytes >> 2),
        .row_weights = 16 * row_words,
        .back = rest == 0 ? 0 : 12 + 4 - rest,
        .entry = ((bytes >> 2) - 1) & 3,
        .weights = op->weights,
        .weights_end = single,
        .stride = op->out.c,
        .raise = (uint32_t)(255 - (op->max - op->min)) * 0x01010101u,
        .settle = ((uint32_t)(op->max - 255) & 0xffu) * 0x01010101u,
        .zero_x0 = tess_sxtb16(zero),
        .zero_x1 = zero ^ ODD_MASK,
    };
    int32_t pixels;

    TESS_ASSERT(x_begin >= 0 && x_begin <= x_end && x_end <= op->out.w);
    for (int32_t x = x_begin; x < x_end; x += pixels, out += pixels * op->out.c) {
        const int32_t first = (x * op->stride_w - op->pad_left) * c;

        pixels = x + 2 <= x_end && is_inside(&row, first, step + bytes) ? 2 : 1;
        if (has_kernels && is_inside(&row, first, bytes)) {
            run.offset = first + (pixels == 2 ? 4 * run.entry : 0);
            run.out = out;
            op->kernels[pixels - 1](&run);
        } else {
            pixels = 1;
            pixel_groups(&row, first, out);
        }
        for (int32_t p = 0; p < pixels; ++p) {
            pixel_rest(&row, first + p * step, out + p * op->out.c);
        }
    }
}

void tess_conv2d_lean_s8__dsp(const tess_conv2d_lean_s8_dsp_t *op, const int8_t *in, int8_t *out)
{
    const int8_t *rows[TESS_MAX_KERNEL_H];

    for (int32_t y = 0; y < op->out.h; ++y, out += op->out.w * op->out.c) {
        tess_window_rows(in, &op->in, y * op->stride_h - op->pad_top, op->kernel_h, rows);
        conv2d_row(op, rows, 0, op->out.w, out);
    }
}

void tess_conv2d_lean_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                   int8_t *out, void *scratch)
{
    (void)y;
    (void)scratch;
    conv2d_row(op, rows, x_begin, x_end, out);
}
