/** Integer arithmetic of the TFLite reference kernels: requantization, clamping, dot products. */
#ifndef TESSERA_TESS_MATH_H
#define TESSERA_TESS_MATH_H

#include <stdint.h>

#include "tessera/types.h"

static inline int32_t tess_min(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static inline int32_t tess_max(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/** value cut to [min, max], which lies in [-128, 127]. */
static inline int8_t tess_clamp_s8(int32_t value, int32_t min, int32_t max)
{
    return (int8_t)tess_min(tess_max(value, min), max);
}

/** x * 2^bits in 32 bits, wrapping around as the reference does on all its targets; bits in [0, 31]. */
static inline int32_t tess_shift_left(int32_t x, int32_t bits)
{
    return (int32_t)((uint32_t)x << bits);
}

/** x * 2^bits cut to 32 bits (gemmlowp SaturatingRoundingMultiplyByPOT); bits in [0, 31]. */
static inline int32_t tess_saturating_shift_left(int32_t x, int32_t bits)
{
    const int64_t wide = (int64_t)x * ((int64_t)1 << bits);

    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/**
 * 2ab / 2^32, rounded half up (gemmlowp SaturatingRoundingDoublingHighMul: its nudge by sign and truncating division
 * come to this for both signs). Not both may be INT32_MIN.
 */
static inline int32_t tess_doubling_high_mul(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/** x / 2^bits, rounded half away from zero (gemmlowp RoundingDivideByPOT); bits in [0, 31]. */
static inline int32_t tess_rounding_shift_right(int32_t x, int32_t bits)
{
    const uint32_t mask = ((uint32_t)1 << bits) - 1u;
    const uint32_t remainder = (uint32_t)x & mask;
    const uint32_t threshold = (mask >> 1) + (x < 0 ? 1u : 0u);

    return (x >> bits) + (remainder > threshold ? 1 : 0);
}

/** x * multiplier * 2^(shift - 31) with two roundings (TFLite MultiplyByQuantizedMultiplier); shift in [-31, 31]. */
static inline int32_t tess_rescale(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t left = tess_max(shift, 0), right = tess_max(-shift, 0);

    return tess_rounding_shift_right(tess_doubling_high_mul(tess_shift_left(x, left), multiplier), right);
}

/** The output value of one accumulator of channel c. */
static inline int8_t tess_requantize_s8(int32_t acc, const tess_requant_t *q, int32_t c)
{
    return tess_clamp_s8(q->zero_point + tess_rescale(acc, q->multiplier[c], q->shift[c]), q->min, q->max);
}

/** sum of (x[i] - x_zero_point) * (w[i] - w_zero_point) over i < count. */
static inline int32_t tess_dot_s8(const int8_t *x, int32_t x_zero_point, const int8_t *w, int32_t w_zero_point,
                                  int32_t count)
{
    int32_t sum = 0;

    for (int32_t i = 0; i < count; ++i) {
        sum += (x[i] - x_zero_point) * (w[i] - w_zero_point);
    }
    return sum;
}

#endif
