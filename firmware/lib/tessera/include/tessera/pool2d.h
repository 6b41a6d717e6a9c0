/**
 * Pools over the pixels of a window that lie inside the map. Scales are not used, as in the reference
 * (integer_ops/pooling.h); every window must hold at least one pixel of the map.
 */
#ifndef TESSERA_POOL2D_H
#define TESSERA_POOL2D_H

#include "tessera/types.h"

typedef struct {
    tess_shape_t in, out; /**< out.c = in.c */
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t raw_zero; /**< a mean rounds half away from this value: 0, or -128 where the source model is uint8 */
    int32_t min, max;
} tess_pool2d_s8_t;

/** Columns [x_begin, x_end) of one output row; rows and out as in tess_conv2d_row_s8. */
void tess_avg_pool2d_row_s8(const tess_pool2d_s8_t *op, const int8_t *const *rows, int32_t x_begin, int32_t x_end,
                            int8_t *restrict out);
void tess_max_pool2d_row_s8(const tess_pool2d_s8_t *op, const int8_t *const *rows, int32_t x_begin, int32_t x_end,
                            int8_t *restrict out);

/** The whole map, row by row. in [in.h][in.w][in.c], out [out.h][out.w][out.c]; see types.h for what may overlap. */
void tess_avg_pool2d_s8(const tess_pool2d_s8_t *op, const int8_t *in, int8_t *out);
void tess_max_pool2d_s8(const tess_pool2d_s8_t *op, const int8_t *in, int8_t *out);

#endif
