#include "tessera/conv2d.h"

#include "tessera/status.h"
#include "tessera/tess_math.h"

void tess_conv2d_1x1_s8(const tess_conv2d_1x1_s8_t *op, const int8_t *in, int8_t *out, int32_t pixels)
{
    TESS_ASSERT(op->in_c > 0 && op->out_c > 0);
    for (int32_t p = 0; p < pixels; ++p, in += op->in_c, out += op->out_c) {
        const int8_t *weights = op->weights;
        for (int32_t c = 0; c < op->out_c; ++c, weights += op->in_c) {
            const int32_t bias = op->bias != NULL ? op->bias[c] : 0;
            const int32_t dot = tess_dot_s8(in, op->in_zero_point, weights, op->weights_zero_point, op->in_c);
            out[c] = tess_requantize_s8(bias + dot, &op->requant, c);
        }
    }
}
