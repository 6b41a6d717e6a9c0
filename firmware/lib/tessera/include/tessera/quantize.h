/** Between float32 and int8, at the edges of a model. */
#ifndef TESSERA_QUANTIZE_H
#define TESSERA_QUANTIZE_H

#include "tessera/types.h"

typedef struct {
    float scale;
    int32_t zero_point; /**< of the int8 side, in [-128, 127] */
} tess_quantize_t;

/**
 * out[i] = zero_point + in[i] / scale, rounded half away from zero, cut to [-128, 127]. What no int32 can hold is cut
 * like any other value, NaN gives -128; the reference leaves both to the processor. out may be in, or lie before it.
 */
void tess_quantize_f32_s8(const tess_quantize_t *op, const float *in, int8_t *out, int32_t count);

/** out[i] = scale * (in[i] - zero_point). Element i of out must not overlap element i of in or a later one. */
void tess_dequantize_s8_f32(const tess_quantize_t *op, const int8_t *in, float *out, int32_t count);

#endif
