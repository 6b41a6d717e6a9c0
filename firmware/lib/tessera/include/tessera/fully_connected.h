/**
 * Fully connected layer on int8.
 *
 * LiteRT's reference rounds acc * (double)scale ONCE, half away from zero, in double. The generator finds an integer
 * multiplier and shift that give the same output for every accumulator (tools/tessera/arith/single_rounding.py).
 */
#ifndef TESSERA_FULLY_CONNECTED_H
#define TESSERA_FULLY_CONNECTED_H

#include "tessera/types.h"

typedef struct {
    int32_t in_c, out_c;
    int32_t in_zero_point;
    int32_t weights_zero_point;
    const int8_t *weights;     /**< [out_c][in_c] */
    const int32_t *bias;       /**< [out_c], or NULL */
    const int64_t *multiplier; /**< [out_c] |acc * multiplier| < 2^62 for every accumulator */
    const int8_t *shift;       /**< [out_c] to the right, in [1, 62] */
    int32_t zero_point;
    int32_t min, max;
} tess_fully_connected_s8_t;

/** in [rows][in_c], out [rows][out_c]. out row r must not overlap in row r or a later one. */
void tess_fully_connected_s8(const tess_fully_connected_s8_t *op, const int8_t *in, int8_t *out, int32_t rows);

#endif
