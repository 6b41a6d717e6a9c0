/**
 * Element-wise operators on two int8 operands, with broadcast. Either may be constant.
 *
 * An operand of the output's shape may be the output, or lie behind it (types.h); any other must not overlap it.
 * Bit-exact with the TFLite reference (integer_ops/add.h, reference/sub.h, integer_ops/mul.h, reference/prelu.h).
 */
#ifndef TESSERA_ELEMENTWISE_H
#define TESSERA_ELEMENTWISE_H

#include "tessera/types.h"

/**
 * The output's dimensions, outermost first, and how many elements each operand advances along them: 0 repeats it.
 * Dimensions that advance together are one: two dense operands of equal shape have rank 1 and strides 1.
 */
typedef struct {
    int32_t rank; /**< in [1, TESS_MAX_DIMS] */
    int32_t dims[TESS_MAX_DIMS];
    int32_t a_strides[TESS_MAX_DIMS], b_strides[TESS_MAX_DIMS];
} tess_broadcast_t;

/** Both operands are brought to one scale, added, and brought to the output's. */
typedef struct {
    tess_broadcast_t shape;
    int32_t a_zero_point, b_zero_point;
    int32_t left_shift; /**< bits below the point at the common scale, in [0, 20] */
    tess_multiplier_t a, b, out;
    int32_t zero_point;
    int32_t min, max;
} tess_add_s8_t;

void tess_add_s8(const tess_add_s8_t *op, const int8_t *a, const int8_t *b, int8_t *out);
/** a - b */
void tess_sub_s8(const tess_add_s8_t *op, const int8_t *a, const int8_t *b, int8_t *out);

typedef struct {
    tess_broadcast_t shape;
    int32_t a_zero_point, b_zero_point;
    tess_multiplier_t out;
    int32_t zero_point;
    int32_t min, max;
} tess_mul_s8_t;

void tess_mul_s8(const tess_mul_s8_t *op, const int8_t *a, const int8_t *b, int8_t *out);

/** x where x is not negative, else x * alpha. */
typedef struct {
    tess_broadcast_t shape; /**< a is x, b is alpha */
    int32_t x_zero_point, alpha_zero_point;
    tess_multiplier_t positive, negative;
    int32_t zero_point;
} tess_prelu_s8_t;

void tess_prelu_s8(const tess_prelu_s8_t *op, const int8_t *x, const int8_t *alpha, int8_t *out);

#endif
