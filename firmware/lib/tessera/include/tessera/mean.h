/** Means. Bit-exact with reference_ops QuantizedMeanOrSum: the division is part of the multiplier. */
#ifndef TESSERA_MEAN_H
#define TESSERA_MEAN_H

#include "tessera/types.h"

/** Over any axes. */
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

/** The mean of a map's rows, each of them the mean of its pixels brought to 8 bits. */
typedef struct {
    tess_shape_t in;
    int32_t in_zero_point;
    tess_multiplier_t row; /**< for the sum of a row */
    int32_t row_zero_point;
    tess_multiplier_t out; /**< for the sum of the rows' means */
    int32_t zero_point;
} tess_mean_of_means_s8_t;

/** in [in.h][in.w][in.c], out [in.c]; they must not overlap. */
void tess_mean_of_means_s8(const tess_mean_of_means_s8_t *op, const int8_t *in, int8_t *out);

#endif
