/**
 * Types that all kernels share, and the rules that hold for all of them.
 *
 * Tensors are NHWC with N = 1, dense. Sizes are in elements. real = scale * (q - zero_point). Kernels never allocate,
 * never fail and keep no state: the generator proves their preconditions, TESS_ASSERT restates them.
 *
 * Aliasing. The memory planner relies on the following (tools/tessera/memory/overlap.py):
 *   - a spatial operator computes output rows in increasing order; for row r it reads only the input rows of its window
 *     and writes only row r. The output may lie over input rows that no later output row reads, never over the window.
 *   - a fully connected operator takes rows in increasing order; output row p is written while input row p is being
 *     read, so it may lie over rows before p only. A 1x1 convolution takes four pixels at a time in the same way.
 *   - a depthwise convolution of a whole map takes channels in increasing order, of each the rows: the output may be
 *     the input, or must not overlap it.
 *   - an element-wise operator (lookup, add, quantize) reads element i of its operands before it writes element i, in
 *     increasing order: an operand of the output's shape may be the output itself, or lie behind it.
 *   - all others (mean, softmax, copy, pad) need disjoint operands.
 */
#ifndef TESSERA_TYPES_H
#define TESSERA_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "tessera/model.h" /* TESS_MAX_DIMS */

/** Height, width and channels of one feature map. */
typedef struct {
    int32_t h, w, c;
} tess_shape_t;

/** The factor multiplier * 2^(shift - 31); see tess_rescale. */
typedef struct {
    int32_t multiplier; /**< Q0.31, in [2^30, 2^31), or 0; MEAN's may be smaller */
    int32_t shift;      /**< in [-31, 30], positive shifts left */
} tess_multiplier_t;

/** Per-channel requantization: out = clamp(zero_point + rescale(acc, multiplier[c], shift[c])). */
typedef struct {
    const int32_t *multiplier; /**< [out.c] Q0.31, in [2^30, 2^31), or 0 */
    const int8_t *shift;       /**< [out.c] in [-31, 30], positive shifts left */
    int32_t zero_point;        /**< of the output, in [-128, 127] */
    int32_t min, max;          /**< fused activation as output values, -128 <= min <= max <= 127 */
} tess_requant_t;

/** A constant array of bytes that may be written as a string: no end mark, aligned for reads of whole words. */
#if defined(__GNUC__) && !defined(__clang__)
#define TESS_BYTES __attribute__((nonstring, aligned(4)))
#else
#define TESS_BYTES __attribute__((aligned(4)))
#endif

#endif
