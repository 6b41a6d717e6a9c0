/**
 * ADD, SUB and MUL on int8 with the DSP instructions of Armv7E-M, bit-exact with elementwise.h; the same may overlap.
 * tools/tessera/kernels/dsp/elementwise.py finds the constants and proves them.
 */
#ifndef TESSERA_ELEMENTWISE_DSP_H
#define TESSERA_ELEMENTWISE_DSP_H

#include "tessera/elementwise.h"

/** out[i] of x[i] and y[i] for i < count; each says what its constants are. */
typedef void tess_elementwise_run_s8_t(const int32_t *constants, const int8_t *x, const int8_t *y, int8_t *out,
                                       int32_t count);

typedef struct {
    tess_broadcast_t shape; /**< in the last dimension an operand advances by 1 or repeats */
    tess_elementwise_run_s8_t *run;
    const int32_t *constants; /**< of run */
    int32_t min, max;         /**< fused activation as output values, -128 <= min <= max <= 127 */
} tess_elementwise_s8_dsp_t;

void tess_elementwise_s8__dsp(const tess_elementwise_s8_dsp_t *op, const int8_t *a, const int8_t *b, int8_t *out);

/** A span of rows (spans.h); op is a tess_elementwise_s8_dsp_t for one pixel, as there. */
void tess_elementwise_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                   int8_t *out, void *scratch);

/**
 * ADD and SUB. Constants a, b, c: saturate((c + (a * x >> 8) + (b * y >> 8)) >> n) to int8, with the n of the name. The
 * reference's three roundings as one linear function of both bytes, compared by the generator for all 65,536 pairs.
 */
tess_elementwise_run_s8_t tess_add_run_22_s8__dsp, tess_add_run_21_s8__dsp, tess_add_run_20_s8__dsp;

/**
 * MUL. Constants a, b, multiplier, k, shift: saturate((h - (p < 0)) >> shift) to int8, where
 * h = k + round_half_up(p * multiplier / 2^31) and p = (x - x_zero_point) * (y - y_zero_point).
 *
 * a, b: minus the zero points of x and of y, each in both halves of a word. multiplier: Q0.31. shift: to the right, in
 * [1, 22]. k: the output's zero point and one half, times 2^shift.
 */
tess_elementwise_run_s8_t tess_mul_run_s8__dsp;
/** The same without - (p < 0): no p is negative, or k's zero point is -128, where all such results end. */
tess_elementwise_run_s8_t tess_mul_settled_run_s8__dsp;

#endif
