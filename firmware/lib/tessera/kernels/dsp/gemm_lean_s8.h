/** Matrix kernels of gemm_lean_s8.S: 2 pixels or 1 times groups of 4 output channels, from the rows of the input. */
#ifndef TESSERA_DSP_GEMM_LEAN_S8_H
#define TESSERA_DSP_GEMM_LEAN_S8_H

#include "tessera/conv2d_lean_dsp.h"

/** One call. gemm_lean_s8.S knows the offsets of its fields. */
struct tess_gemm_lean_s8 {
    const int8_t *const *rows; /**< [row_count], NULL outside the map */
    int32_t row_count;
    int32_t offset;      /**< bytes from a row's pointer to the first pixel's values, of 2 pixels + 4 * entry */
    int32_t distance;    /**< bytes from the first pixel's values to the second one's */
    int32_t whole;       /**< bytes of weights of the whole words of a row, at least one */
    int32_t row_weights; /**< bytes of weights of a row, with those of a last word that begins inside the one before */
    int32_t back;        /**< 0, or where there is such a word 12 and the values that both share */
    int32_t entry;       /**< steps of the first, shortened pass over whole words, less one: (words - 1) % 4 */
    const int32_t *weights, *weights_end;
    int8_t *out;
    int32_t stride;            /**< bytes from the output of the first pixel to that of the second */
    uint32_t raise, settle;    /**< as tess_gemm_s8_t */
    uint32_t zero_x0, zero_x1; /**< X0 and X1 of a word of zero points */
};

tess_gemm_lean_s8_kernel_t tess_gemm_lean1_relu_s8__dsp, tess_gemm_lean1_linear_s8__dsp;
tess_gemm_lean_s8_kernel_t tess_gemm_lean1_relu_clamp_s8__dsp, tess_gemm_lean1_clamp_s8__dsp;
tess_gemm_lean_s8_kernel_t tess_gemm_lean2_relu_s8__dsp, tess_gemm_lean2_linear_s8__dsp;
tess_gemm_lean_s8_kernel_t tess_gemm_lean2_relu_clamp_s8__dsp, tess_gemm_lean2_clamp_s8__dsp;

/* Windows of a single row, which is inside the map. */
tess_gemm_lean_s8_kernel_t tess_gemm_lean2_row_relu_s8__dsp, tess_gemm_lean2_row_linear_s8__dsp;
tess_gemm_lean_s8_kernel_t tess_gemm_lean2_row_relu_clamp_s8__dsp, tess_gemm_lean2_row_clamp_s8__dsp;

#endif
