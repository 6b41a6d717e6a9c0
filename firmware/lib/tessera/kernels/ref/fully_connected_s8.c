#include "tessera/fully_connected.h"

#include "tessera/status.h"
#include "tessera/tess_math.h"

/* acc * multiplier / 2^shift, rounded half away from zero, as an output value of [min, max]. */
static int8_t scale_once(const tess_fully_connected_s8_t *op, int32_t acc, int32_t c)
{
    const int64_t product = acc * op->multiplier[c];
    const int64_t half = (int64_t)1 << (op->shift[c] - 1);
    const int64_t value = op->zero_point + ((product + half - (product < 0 ? 1 : 0)) >> op->shift[c]);

    return (int8_t)(value < op->min ? op->min : value > op->max ? op->max : value);
}

void tess_fully_connected_s8(const tess_fully_connected_s8_t *op, const int8_t *in, int8_t *out, int32_t rows)
{
    TESS_ASSERT(op->in_c > 0 && op->out_c > 0);
    for (int32_t r = 0; r < rows; ++r, in += op->in_c, out += op->out_c) {
        const int8_t *weights = op->weights;
        for (int32_t c = 0; c < op->out_c; ++c, weights += op->in_c) {
            const int32_t bias = op->bias != NULL ? op->bias[c] : 0;
            const int32_t dot = tess_dot_s8(in, op->in_zero_point, weights, op->weights_zero_point, op->in_c);
            out[c] = scale_once(op, bias + dot, c);
        }
    }
}
