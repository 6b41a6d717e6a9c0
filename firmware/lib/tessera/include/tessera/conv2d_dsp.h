/**
 * 2-D convolutions on int8 maps with the DSP instructions of Armv7E-M, bit-exact with conv2d.h.
 *
 * The window of four output pixels is expanded to pairs of int16 in scratch; a matrix kernel multiplies it by two
 * output channels at a time (kernels/dsp/gemm_s8.S says how). A 1x1 convolution of stride 1 may be described as one row
 * of all its pixels. tools/tessera/kernels/dsp/conv2d_fast.py packs the weights and proves what each variant needs.
 */
#ifndef TESSERA_CONV2D_DSP_H
#define TESSERA_CONV2D_DSP_H

#include "tessera/types.h"

/** Words of weights whose sum of products always stays in 24 bits: 508 products of int8. */
#define TESS_CONV2D_DSP_CHUNK_WORDS 127

typedef struct tess_conv2d_row_s8 tess_conv2d_row_s8_t; /* kernels/dsp/conv2d_s8.c */
typedef struct tess_gemm_s8 tess_gemm_s8_t;             /* kernels/dsp/gemm_s8.h */

/** Writes the windows of `pixels` (4, 2 or 1) neighbouring outputs, of which the first begins at input column `first`.
 */
typedef void tess_conv2d_expand_s8_t(tess_conv2d_row_s8_t *row, int32_t first, int32_t pixels);

/** All channels of `pixels` outputs from their expanded windows. */
typedef void tess_conv2d_multiply_s8_t(tess_conv2d_row_s8_t *row, int32_t pixels, int8_t *out);

/** A matrix kernel: pairs of channels of a number of pixels. */
typedef void tess_gemm_s8_kernel_t(const tess_gemm_s8_t *run);

typedef struct {
    tess_shape_t in, out;
    int32_t kernel_h, kernel_w; /**< kernel_h <= TESS_MAX_KERNEL_H */
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t in_zero_point; /**< in [-128, 127]; padding reads as this value */
    int32_t pixels;        /**< most that are computed at a time: 4, 2 or 1 */
    int32_t words;         /**< of four weights, of one output channel */
    tess_conv2d_expand_s8_t *expand;
    tess_conv2d_multiply_s8_t *multiply;
    tess_gemm_s8_kernel_t *const *kernels; /**< for 1, 2 and 4 pixels */
    const int32_t *weights;                /**< as `multiply` and `kernels` read them */
    const int32_t *zero_point_weights;     /**< of `expand` functions for weights with a zero point, else NULL */
    int32_t zero_point;                    /**< of the output, in [-128, 127] */
    int32_t min, max;                      /**< fused activation as output values, -128 <= min <= max <= 127 */
} tess_conv2d_s8_dsp_t;

/** Any window: of each kernel row kernel_w * in.c weights, padded to whole words. A row's last word repeats what it
 * shares with the one before, where a row has at least four values; the repeated weights are 0. */
tess_conv2d_expand_s8_t tess_conv2d_expand_s8__dsp;

/** 3x3 windows of 3 channels: of each kernel row eight weights, then the ninth of all three and a 0. */
tess_conv2d_expand_s8_t tess_conv2d_expand_3x3x3_s8__dsp;

/**
 * For weights with a zero point z, in uint8 models: the same, then a word that gives every channel -z times the sum of
 * the window, where |z| * 128 * weights < 2^21. zero_point_weights: -127 * sum(w1 + w3) | V * (words - 1) of weights
 * -z. The last word of all other weights is 256, 64 * 256 (low half, high half).
 */
tess_conv2d_expand_s8_t tess_conv2d_expand_centred_s8__dsp, tess_conv2d_expand_3x3x3_centred_s8__dsp;

/**
 * Packed requantization, all multipliers below one, |acc| < 2^23. Weights: per pair of channels
 *     bias0 bias1 | (V0 V1) * words | multiplier0 k0 shift0 multiplier1 k1 shift1
 * and of an odd last channel as for tess_conv2d_multiply_wide_s8__dsp. See gemm_s8.S for V, bias, k and shift.
 */
tess_conv2d_multiply_s8_t tess_conv2d_multiply_packed_s8__dsp;

/** min is -128, max is 127 and the zero point is -128, so that it does not matter how negative sums are rounded. */
extern tess_gemm_s8_kernel_t *const tess_gemm_relu_s8__dsp[3];
/** min is -128, max is 127; all multipliers below one half. */
extern tess_gemm_s8_kernel_t *const tess_gemm_linear_s8__dsp[3];
/** min is at least the zero point. */
extern tess_gemm_s8_kernel_t *const tess_gemm_relu_clamp_s8__dsp[3];
/** All multipliers below one half. */
extern tess_gemm_s8_kernel_t *const tess_gemm_clamp_s8__dsp[3];

/**
 * Any int32 accumulator, bias, multiplier and shift. Weights: per pair of channels, for each
 * TESS_CONV2D_DSP_CHUNK_WORDS words of the window, c0 c1 | (V0 V1) * words of the chunk, then bias0 multiplier0 shift0
 * bias1 multiplier1 shift1. Of an odd last channel the same with one value in place of two.
 */
tess_conv2d_multiply_s8_t tess_conv2d_multiply_wide_s8__dsp;

/** For tess_conv2d_multiply_wide_s8__dsp. */
extern tess_gemm_s8_kernel_t *const tess_gemm_raw_s8__dsp[3];

/**
 * The whole map, row by row. in [in.h][in.w][in.c], out [out.h][out.w][out.c]; as for tess_conv2d_s8 out may lie over
 * input rows that no later output row reads, and if kernel, stride and padding are those of a 1x1 convolution over
 * input pixels before the group of four that is being computed. scratch, aligned to 4 bytes: 32 * words bytes, and a
 * strip for what the border cuts off (tools/tessera/kernels/dsp/conv2d_window.py: strip_bytes).
 */
void tess_conv2d_s8__dsp(const tess_conv2d_s8_dsp_t *op, const int8_t *in, int8_t *out, void *scratch);

/** tess_span_kernel_t; op is a tess_conv2d_s8_dsp_t. */
void tess_conv2d_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                              int8_t *out, void *scratch);

#endif
