/** Mean over any axes. Bit-exact with reference_ops QuantizedMeanOrSum: the division is part of the multiplier. */
#ifndef TESSERA_MEAN_H
#define TESSERA_MEAN_H

#include "tessera/types.h"

typedef struct {
    int32_t kept_rank; /**< in [1, TESS_MAX_DIMS]; the output is dense in these dimensions, outermost first */
    int32_t kept_dims[TESS_MAX_DIMS], kept_strides[TESS_MAX_DIMS]; /**< elements of the input */
    int32_t reduced_rank;                                          /**< in [1, TESS_MAX_DIMS] */
    int32_t reduced_dims[TESS_MAX_DIMS], reduced_strides[TESS_MAX_DIMS];
    int32_t in_zero_point;
    tess_multiplier_t out; /**< for the sum of all reduced elements */
    int32_t zero_point;
} tess_mean_s8_t;

/** in and out must not overlap. */
void tess_mean_s8(const tess_mean_s8_t *op, const int8_t *in, int8_t *out);

#endif
