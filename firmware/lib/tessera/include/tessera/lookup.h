/** Any function of one byte: relu, logistic, tanh, hard_swish, leaky_relu, requantize. */
#ifndef TESSERA_LOOKUP_H
#define TESSERA_LOOKUP_H

#include <stdint.h>

/** out[i] = table[in[i]] for i < count; bytes are indexed as unsigned. out may be in, or lie before it. */
void tess_lookup_8(const uint8_t table[256], const uint8_t *in, uint8_t *out, int32_t count);

#endif
