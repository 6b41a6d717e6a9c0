#include "tessera/quantize.h"

void tess_dequantize_s8_f32(const tess_quantize_t *op, const int8_t *in, float *out, int32_t count)
{
    for (int32_t i = 0; i < count; ++i) {
        /* The reference multiplies in double and rounds to float; the difference has 9 bits, so this rounds once too.
         */
        out[i] = op->scale * (float)(in[i] - op->zero_point);
    }
}
