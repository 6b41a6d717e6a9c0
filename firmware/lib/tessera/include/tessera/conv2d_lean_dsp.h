/**
 * 2-D convolutions on int8 maps with the DSP instructions of Armv7E-M that need no scratch, bit-exact with conv2d.h.
 *
 * A matrix kernel multiplies the windows of two output pixels or one, where they lie inside the map's columns, by four
 * output channels at a time (kernels/dsp/gemm_lean_s8.S). Windows beside the map, what is left of the channels, and
 * what needs more than packed requantization are computed pixel by pixel. tools/tessera/kernels/dsp/conv2d_lean.py
 * packs the weights and proves what each variant needs.
 */
#ifndef TESSERA_CONV2D_LEAN_DSP_H
#define TESSERA_CONV2D_LEAN_DSP_H

#include "tessera/types.h"

typedef struct tess_gemm_lean_s8 tess_gemm_lean_s8_t; /* kernels/dsp/gemm_lean_s8.h */

/** A matrix kernel: groups of four channels of 1 or 2 pixels. */
typedef void tess_gemm_lean_s8_kernel_t(const tess_gemm_lean_s8_t *run);

/* For 1 and 2 pixels, as the tables tess_gemm_*_s8__dsp of conv2d_dsp.h. */
extern tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_relu_s8__dsp[2];
extern tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_linear_s8__dsp[2];
extern tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_relu_clamp_s8__dsp[2];
extern tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_clamp_s8__dsp[2];

/* The same for kernel_h = 1 without padding above and below. */
extern tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_row_relu_s8__dsp[2];
extern tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_row_linear_s8__dsp[2];
extern tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_row_relu_clamp_s8__dsp[2];
extern tess_gemm_lean_s8_kernel_t *const tess_gemm_lean_row_clamp_s8__dsp[2];

typedef struct {
    tess_shape_t in, out;
    int32_t kernel_h, kernel_w; /**< kernel_h <= TESS_MAX_KERNEL_H */
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t in_zero_point; /**< in [-128, 127]; padding reads as this value */
    int32_t words;         /**< of four weights, of one output channel: each kernel row padded as in conv2d_dsp.h */
    /**
     * Requantization is packed, and these its kernels; or NULL: any. Weights: per four channels
     *     start0..3 | (V0 V1 V2 V3) * words | four times three words
     * then, of each channel that is left, the same of one. The three words are multiplier, k, shift and start is the
     * kernels' bias; if kernels is NULL they are bias, multiplier, shift, and start is -127 * sum(w1 + w3).
     */
    tess_gemm_lean_s8_kernel_t *const *kernels;
    const int32_t *weights;
    int32_t offset;     /**< what k leaves to be added: min if the kernels clamp, else 0 */
    int32_t zero_point; /**< of the output, in [-128, 127] */
    int32_t min, max;   /**< fused activation as output values, -128 <= min <= max <= 127 */
} tess_conv2d_lean_s8_dsp_t;

/** As tess_conv2d_s8__dsp. */
void tess_conv2d_lean_s8__dsp(const tess_conv2d_lean_s8_dsp_t *op, const int8_t *in, int8_t *out);

/** tess_span_kernel_t; op is a tess_conv2d_lean_s8_dsp_t, scratch is not used. */
void tess_conv2d_lean_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                   int8_t *out, void *scratch);

#endif
