/** Resizes. The generator works out which input rows and columns an output row or column reads. */
#ifndef TESSERA_RESIZE_H
#define TESSERA_RESIZE_H

#include "tessera/types.h"

typedef struct {
    tess_shape_t in, out;  /**< out.c = in.c */
    const int32_t *row;    /**< [out.h] input row of each output row, not decreasing */
    const int32_t *column; /**< [out.w] input column of each output column */
} tess_resize_nearest_8_t;

/** Columns [x_begin, x_end) of an output row; rows[0] points at column 0 of its input row. No overlap. */
void tess_resize_nearest_row_8(const tess_resize_nearest_8_t *op, const int8_t *const *rows, int32_t x_begin,
                               int32_t x_end, int8_t *restrict out);

/** The whole map, row by row; see types.h for what may overlap. */
void tess_resize_nearest_8(const tess_resize_nearest_8_t *op, const int8_t *in, int8_t *out);

/** in[low] * (1024 - weight) + in[high] * weight; a weight may lie outside [0, 1024] at a border. */
typedef struct {
    int32_t low, high; /**< low <= high, neither decreases along an axis */
    int32_t weight;    /**< of high, Q10, in [-1024, 1024] */
} tess_interpolation_t;

/** Bit-exact with reference_ops ResizeBilinearInteger on int8. */
typedef struct {
    tess_shape_t in, out;
    const tess_interpolation_t *row;    /**< [out.h] */
    const tess_interpolation_t *column; /**< [out.w] */
} tess_resize_bilinear_s8_t;

/**
 * Columns [x_begin, x_end) of output row y. rows[0] and rows[1] point at column 0 of input rows op->row[y].low and
 * .high. No overlap.
 */
void tess_resize_bilinear_row_s8(const tess_resize_bilinear_s8_t *op, const int8_t *const *rows, int32_t y,
                                 int32_t x_begin, int32_t x_end, int8_t *restrict out);

/** The whole map, row by row; see types.h for what may overlap. */
void tess_resize_bilinear_s8(const tess_resize_bilinear_s8_t *op, const int8_t *in, int8_t *out);

#endif
