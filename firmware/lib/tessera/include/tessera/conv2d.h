/**
 * 2-D convolutions on int8 maps, any kernel size, stride and padding, dilation 1.
 *
 * Bit-exact with the TFLite reference ConvPerChannel and DepthwiseConvPerChannel (integer_ops/conv.h,
 * integer_ops/depthwise_conv.h); with weights_zero_point also with reference_ops Conv and DepthwiseConv on uint8, whose
 * bytes less 128 are ours. Accumulators must fit in 32 bits for every input.
 */
#ifndef TESSERA_CONV2D_H
#define TESSERA_CONV2D_H

#include "tessera/types.h"

/** Everything about a convolution that is known before run time. Lives in flash. */
typedef struct {
    tess_shape_t in, out;
    int32_t kernel_h, kernel_w; /**< kernel_h <= TESS_MAX_KERNEL_H */
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t in_zero_point;      /**< in [-128, 127]; padding reads as this value */
    int32_t weights_zero_point; /**< 0 but for models that were uint8 */
    const int8_t *weights;      /**< [out.c][kernel_h][kernel_w][in.c] */
    const int32_t *bias;        /**< [out.c], or NULL */
    tess_requant_t requant;
} tess_conv2d_s8_t;

/**
 * Columns [x_begin, x_end) of one output row.
 *
 * rows[i], i < kernel_h, points at column 0 of input row y * stride_h - pad_top + i, or is NULL where that row is
 * outside the map. out [x_end - x_begin][out.c] points at column x_begin. The window and out must not overlap.
 */
void tess_conv2d_row_s8(const tess_conv2d_s8_t *op, const int8_t *const *rows, int32_t x_begin, int32_t x_end,
                        int8_t *restrict out);

/** The whole map, row by row. in [in.h][in.w][in.c], out [out.h][out.w][out.c]; see types.h for what may overlap. */
void tess_conv2d_s8(const tess_conv2d_s8_t *op, const int8_t *in, int8_t *out);

/** A 1x1 convolution with stride 1 and no padding: one matrix for every pixel. */
typedef struct {
    int32_t in_c, out_c;
    int32_t in_zero_point;
    int32_t weights_zero_point;
    const int8_t *weights; /**< [out_c][in_c] */
    const int32_t *bias;   /**< [out_c], or NULL */
    tess_requant_t requant;
} tess_conv2d_1x1_s8_t;

/** A run of pixels: in [pixels][in_c], out [pixels][out_c]. out pixel p must not overlap in pixel p or a later one. */
void tess_conv2d_1x1_s8(const tess_conv2d_1x1_s8_t *op, const int8_t *in, int8_t *out, int32_t pixels);

/** Depthwise: output channel c * depth_multiplier + m sees input channel c only. */
typedef struct {
    tess_shape_t in, out; /**< out.c = in.c * depth_multiplier */
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t depth_multiplier;
    int32_t in_zero_point;
    int32_t weights_zero_point;
    const int8_t *weights; /**< [kernel_h][kernel_w][out.c] */
    const int32_t *bias;   /**< [out.c], or NULL */
    tess_requant_t requant;
} tess_depthwise_conv2d_s8_t;

/** As tess_conv2d_row_s8. */
void tess_depthwise_conv2d_row_s8(const tess_depthwise_conv2d_s8_t *op, const int8_t *const *rows, int32_t x_begin,
                                  int32_t x_end, int8_t *restrict out);

/**
 * The whole map, channel after channel: of a channel, the rows of a window are copied before the row is written, and no
 * other channel is touched. So out may be in where depth_multiplier is 1 and no output row ends behind the input rows
 * that it has read (types.h); any other overlap is not allowed.
 *
 * scratch: kernel_h * in.w bytes.
 */
void tess_depthwise_conv2d_s8(const tess_depthwise_conv2d_s8_t *op, const int8_t *in, int8_t *out, void *scratch);

#endif
