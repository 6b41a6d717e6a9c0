/** Softmax over the last axis. Bit-exact with reference_ops Softmax on int8 (gemmlowp fixed point). */
#ifndef TESSERA_SOFTMAX_H
#define TESSERA_SOFTMAX_H

#include "tessera/types.h"

/** Longest row: the sum of its exponentials, in Q12.19, must stay below 2^31. */
#define TESS_SOFTMAX_MAX_LENGTH 4095

typedef struct {
    int32_t length;     /**< of a row, in [1, TESS_SOFTMAX_MAX_LENGTH] */
    const int32_t *exp; /**< [256] exp(beta * scale * -d) for d = max - x, Q0.31, not negative; exp[0] = 2^31 - 1 */
} tess_softmax_s8_t;

/**
 * in and out [rows][length]; output scale 1/256, zero point -128. They must not overlap.
 *
 * The reference aborts where the sum of a row's exponentials is 512 or more (600 equal values); here those rows go on
 * to the limit, where all values are -128.
 */
void tess_softmax_s8(const tess_softmax_s8_t *op, const int8_t *in, int8_t *out, int32_t rows);

#endif
