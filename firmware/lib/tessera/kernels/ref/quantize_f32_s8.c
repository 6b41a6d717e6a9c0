#include "tessera/quantize.h"

#include "tessera/tess_math.h"

/* C's roundf for |x| below 2^24, without a library: what is left after truncation is exact. */
static int32_t round_half_away(float x)
{
    const int32_t whole = (int32_t)x;
    const float rest = x - (float)whole;

    return whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
}

void tess_quantize_f32_s8(const tess_quantize_t *op, const float *in, int8_t *out, int32_t count)
{
    const float limit = 1024.0f; /* further than any zero point is from the end of the range */

    for (int32_t i = 0; i < count; ++i) {
        const float scaled = in[i] / op->scale;
        const float cut = scaled >= limit ? limit : scaled > -limit ? scaled : -limit; /* NaN ends as -limit */
        out[i] = tess_clamp_s8(op->zero_point + round_half_away(cut), INT8_MIN, INT8_MAX);
    }
}
