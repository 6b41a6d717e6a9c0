#include "tessera/softmax.h"

#include "tessera/status.h"
#include "tessera/tess_math.h"

enum { SUM_INTEGER_BITS = 12 }; /* sums are Q12.19, exponentials Q0.31 */

/* 1 / (1 + a) as Q0.31, for a in [0, 1) in Q0.31: three Newton steps in Q2.29 (gemmlowp one_over_one_plus_x). */
static int32_t reciprocal_one_plus(int32_t a)
{
    const int32_t half = (int32_t)(((int64_t)a + ((int64_t)1 << 31)) >> 1); /* (1 + a) / 2 */
    int32_t x = 1515870810 + tess_doubling_high_mul(half, -1010580540);     /* 48/17 - 32/17 * half */

    for (int32_t i = 0; i < 3; ++i) {
        const int32_t error = (1 << 29) - tess_doubling_high_mul(half, x);
        x += tess_saturating_shift_left(tess_doubling_high_mul(x, error), 2);
    }
    return tess_saturating_shift_left(x, 1);
}

static int32_t max_of_row(const int8_t *in, int32_t length)
{
    int32_t max = INT8_MIN;

    for (int32_t i = 0; i < length; ++i) {
        max = tess_max(max, in[i]);
    }
    return max;
}

/* Less than 2^31, because a row has at most 4095 terms of at most 2^19. */
static int32_t sum_of_exp(const tess_softmax_s8_t *op, const int8_t *in, int32_t max)
{
    int32_t sum = 0;

    for (int32_t i = 0; i < op->length; ++i) {
        sum += tess_rounding_shift_right(op->exp[max - in[i]], SUM_INTEGER_BITS);
    }
    return sum;
}

static void softmax_row(const tess_softmax_s8_t *op, const int8_t *in, int8_t *out)
{
    const int32_t max = max_of_row(in, op->length);
    const int32_t sum = sum_of_exp(op, in, max);
    const int32_t headroom = __builtin_clz((uint32_t)sum);
    const int32_t scale = reciprocal_one_plus((int32_t)(((uint32_t)sum << headroom) - ((uint32_t)1 << 31)));
    const int32_t right = SUM_INTEGER_BITS - headroom + 31 - 8; /* from 4, and above 31 where the reference aborts */

    for (int32_t i = 0; i < op->length; ++i) {
        const int32_t value = tess_doubling_high_mul(scale, op->exp[max - in[i]]);
        const int32_t rounded = right > 31 ? 0 : tess_rounding_shift_right(value, right);
        out[i] = tess_clamp_s8(INT8_MIN + rounded, INT8_MIN, INT8_MAX);
    }
}

void tess_softmax_s8(const tess_softmax_s8_t *op, const int8_t *in, int8_t *out, int32_t rows)
{
    TESS_ASSERT(op->length >= 1 && op->length <= TESS_SOFTMAX_MAX_LENGTH);
    for (int32_t r = 0; r < rows; ++r, in += op->length, out += op->length) {
        softmax_row(op, in, out);
    }
}
