/** Matrix kernels of gemm_s8.S: P pixels times pairs of output channels. */
#ifndef TESSERA_DSP_GEMM_S8_H
#define TESSERA_DSP_GEMM_S8_H

#include "tessera/conv2d_dsp.h"

/** One call. gemm_s8.S knows the offsets of its fields. */
struct tess_gemm_s8 {
    const uint32_t *x, *x_end; /**< input block, aligned to 4 bytes */
    const int32_t *weights, *weights_end;
    void *out;
    int32_t stride; /**< bytes from the output of a pixel to that of the next */
    int32_t entry;  /**< steps of the first, shortened pass of the loop: (words - 1) % 4, of 1 or 2 pixels % 2 */
    uint32_t raise,
        settle; /**< clamping kernels: four times the byte 255 - (max - min); four times (max - 255) & 255 */
};

/* All pairs of channels from weights to weights_end, requantized to int8. */
tess_gemm_s8_kernel_t tess_gemm4_relu_s8__dsp, tess_gemm2_relu_s8__dsp, tess_gemm1_relu_s8__dsp;
tess_gemm_s8_kernel_t tess_gemm4_linear_s8__dsp, tess_gemm2_linear_s8__dsp, tess_gemm1_linear_s8__dsp;
tess_gemm_s8_kernel_t tess_gemm4_relu_clamp_s8__dsp, tess_gemm2_relu_clamp_s8__dsp, tess_gemm1_relu_clamp_s8__dsp;
tess_gemm_s8_kernel_t tess_gemm4_clamp_s8__dsp, tess_gemm2_clamp_s8__dsp, tess_gemm1_clamp_s8__dsp;

/* One pair of channels; out is int32_t [pixels][2] and receives 256 times the sums. weights_end, stride: unused. */
tess_gemm_s8_kernel_t tess_gemm4_raw_s8__dsp, tess_gemm2_raw_s8__dsp, tess_gemm1_raw_s8__dsp;

#endif
