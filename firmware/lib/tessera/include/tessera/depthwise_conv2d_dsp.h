/**
 * Depthwise convolutions for Armv7E-M (Cortex-M4, M7): kernels 3x3, 5x5 and 7x7 with stride 1 or 2, dilation 1, depth
 * multiplier 1. Bytes are those of tess_depthwise_conv2d_s8.
 *
 * Channels come in blocks, as the outermost loop. Of a block, weights and input rows are widened to int16 in scratch,
 * the rows channel by channel with the padding physically there, and a kernel in assembly computes a row of outputs.
 *
 * What the generator proves (tools/tessera/kernels/dsp/depthwise.py): twice the accumulator and the value that is
 * shifted fit in 32 bits; shifts go right.
 */
#ifndef TESSERA_DEPTHWISE_CONV2D_DSP_H
#define TESSERA_DEPTHWISE_CONV2D_DSP_H

#include "tessera/types.h"

/** Constants of a channel: the output is the sum of 2 * weight * input and bias, requantized. */
typedef struct {
    int32_t bias;       /**< 2 * (bias - in_zero_point * sum of the weights), wrapped to 32 bits */
    int32_t multiplier; /**< Q0.31, in [2^30, 2^31), or 0 */
    int32_t offset; /**< (zero point << shift) + half of 2^shift; the zero point less min where a clamp is applied */
    int32_t shift;  /**< to the right, in [0, 31]; 0 only where min is at least the zero point */
} tess_depthwise_channel_t;

/** One row of outputs of some channels, for a row kernel. */
typedef struct {
    const int32_t *stream;     /**< of the first channel, as tess_depthwise_stream_*_s8__dsp makes it */
    int32_t pixel_bytes;       /**< from an output pixel to the next */
    int8_t *out;               /**< first pixel and channel */
    int32_t whole_bytes;       /**< bytes of out over its whole groups of outputs */
    int8_t *whole_end;         /**< used by the kernel */
    const int32_t *stream_end; /**< behind the last channel's */
    int32_t next_bytes;        /**< from behind the whole groups' input of a channel to the next channel's row */
    int32_t rest;              /**< outputs behind the whole groups */
    int32_t raise, settle;     /**< 255 - (max - min), max - 255; used by *clamp */
} tess_depthwise_run_t;

/**
 * rows[i], i < kernel height, points at the planes of input row i: int16, aligned to 4 bytes, the window of the first
 * output at column 0. A group is four outputs, but two of 5x5 and 7x7 with stride 2.
 *
 * relu and relu_clamp: min is at least the zero point. relu and linear: min is -128, max is 127.
 */
typedef void tess_depthwise_row_t(const tess_depthwise_run_t *run, const int16_t *const *rows);

tess_depthwise_row_t tess_depthwise_row_3x3_s1_relu_s8__dsp, tess_depthwise_row_3x3_s1_linear_s8__dsp,
    tess_depthwise_row_3x3_s1_relu_clamp_s8__dsp, tess_depthwise_row_3x3_s1_clamp_s8__dsp;
tess_depthwise_row_t tess_depthwise_row_3x3_s2_relu_s8__dsp, tess_depthwise_row_3x3_s2_linear_s8__dsp,
    tess_depthwise_row_3x3_s2_relu_clamp_s8__dsp, tess_depthwise_row_3x3_s2_clamp_s8__dsp;
tess_depthwise_row_t tess_depthwise_row_5x5_s1_relu_s8__dsp, tess_depthwise_row_5x5_s1_linear_s8__dsp,
    tess_depthwise_row_5x5_s1_relu_clamp_s8__dsp, tess_depthwise_row_5x5_s1_clamp_s8__dsp;
tess_depthwise_row_t tess_depthwise_row_5x5_s2_relu_s8__dsp, tess_depthwise_row_5x5_s2_linear_s8__dsp,
    tess_depthwise_row_5x5_s2_relu_clamp_s8__dsp, tess_depthwise_row_5x5_s2_clamp_s8__dsp;
tess_depthwise_row_t tess_depthwise_row_7x7_s1_relu_s8__dsp, tess_depthwise_row_7x7_s1_linear_s8__dsp,
    tess_depthwise_row_7x7_s1_relu_clamp_s8__dsp, tess_depthwise_row_7x7_s1_clamp_s8__dsp;
tess_depthwise_row_t tess_depthwise_row_7x7_s2_relu_s8__dsp, tess_depthwise_row_7x7_s2_linear_s8__dsp,
    tess_depthwise_row_7x7_s2_relu_clamp_s8__dsp, tess_depthwise_row_7x7_s2_clamp_s8__dsp;

/**
 * Writes the weight stream of the channels in [channels, channels_end), which are at least one. Of each
 * kernel * (kernel - 1) words: of a kernel row w0 w1 .. the pairs (w0, w1), (w1, w2), .., doubled and less their zero
 * point; then the constants. weights [channels][kernel][kernel]. zero_points: twice the weights' zero point, in both
 * halves of the word.
 */
typedef void tess_depthwise_stream_t(int32_t *stream, const int8_t *weights, const tess_depthwise_channel_t *channels,
                                     const tess_depthwise_channel_t *channels_end, uint32_t zero_points);

tess_depthwise_stream_t tess_depthwise_stream_3x3_s8__dsp, tess_depthwise_stream_5x5_s8__dsp,
    tess_depthwise_stream_7x7_s8__dsp;

/** A run of pixels to widen. */
typedef struct {
    int32_t pixel_bytes; /**< from a pixel to the next */
    int32_t plane_bytes; /**< from a channel's row to the next, a multiple of 4 */
    int32_t channels;    /**< at least 1 */
    int32_t pixels;      /**< at least 1 */
} tess_depthwise_widen_t;

/** in [pixels], each `channels` bytes of pixel_bytes, out [channels][plane_bytes / 2]. */
void tess_depthwise_widen_s8__dsp(const tess_depthwise_widen_t *run, const int8_t *in, int16_t *out);

/** Everything about a convolution that is known before run time. Lives in flash. */
typedef struct {
    tess_shape_t in, out;                 /**< out.c == in.c. What is a row here may be a column of the map: */
    int32_t in_pixel_bytes, in_row_bytes; /**< from a pixel of a row to the next, from row to row */
    int32_t out_pixel_bytes, out_row_bytes;
    int32_t kernel; /**< 3, 5 or 7, both ways */
    int32_t stride; /**< 1 or 2, both ways */
    int32_t pad_top, pad_left;
    int32_t in_zero_point;
    int32_t weights_zero_point;
    int32_t min, max;                         /**< fused activation as output values, -128 <= min <= max <= 127 */
    int32_t block;                            /**< channels at a time */
    int32_t columns;                          /**< of outputs at a time, in a span */
    const int8_t *weights;                    /**< [in.c][kernel][kernel] */
    const tess_depthwise_channel_t *channels; /**< [in.c] */
    tess_depthwise_stream_t *stream;          /**< of this kernel */
    tess_depthwise_row_t *row;                /**< of this kernel, stride and clamp */
} tess_depthwise_conv2d_s8_dsp_t;

/**
 * The whole map, block after block; of a block the rows of a window are in scratch before a row is written, and no
 * other channel is touched. So out may be in where no output row ends behind the input rows that it has read
 * (types.h), or, along columns, where in and out are of one shape; any other overlap is not allowed.
 *
 * scratch, aligned to 4 bytes: of each channel of a block its stream and kernel planes of out.w outputs:
 * block * (4 * kernel * (kernel - 1) + 16 + kernel * plane_bytes), plane_bytes = 2 * pixels rounded up to a multiple of
 * 4, pixels = (out.w - 1) * stride + kernel.
 */
void tess_depthwise_conv2d_s8__dsp(const tess_depthwise_conv2d_s8_dsp_t *op, const int8_t *in, int8_t *out,
                                   void *scratch);

/** A span (tess_span_kernel_t), not along columns. scratch: as above, with `columns` in the place of out.w. */
void tess_depthwise_conv2d_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin,
                                        int32_t x_end, int8_t *out, void *scratch);

/*
 * Straight from the map, four channels of a pixel at a time: any kernel, stride and padding, depth multiplier 1, zero
 * point of the weights 0, at least four channels. In a span it needs no scratch.
 */

/** All channels of neighbouring output pixels. */
typedef struct {
    int32_t offset;           /**< from a row pointer to the first tap inside the map of the first pixel, in bytes */
    uint32_t less_zero_point; /**< minus the zero point of the input, in both halves */
    int32_t pixel_bytes;      /**< from pixel to pixel of an input row */
    int32_t step_bytes;       /**< of input, from output pixel to output pixel */
    int32_t count;            /**< of output pixels, at least 1 */
    int32_t rows;             /**< of the window that lie inside the map */
    const int32_t *stream;    /**< of tess_depthwise_taps_s8_dsp_t */
    const int32_t *stop;      /**< whole_end */
    const int32_t *whole_end; /**< behind the last four channels that do not overlap others */
    const int32_t *end;       /**< behind all */
    int32_t back_bytes;       /**< that the last four channels overlap others */
    int8_t *out;
    int32_t before_bytes, behind_bytes; /**< of the weights of four channels: above the first row, below the last one */
    uint32_t raise, settle;             /**< 255 - (max - min), max - 255 in four bytes; used by *clamp */
} tess_depthwise_pixels_run_t;

/** rows: as many pointers as the kernel has rows, the last ones inside the map. All columns of the windows are, too.
 * Suffixes are those of tess_depthwise_row_t. */
typedef void tess_depthwise_pixels_t(const tess_depthwise_pixels_run_t *run, const int8_t *const *rows);

tess_depthwise_pixels_t tess_depthwise_pixels_3x3_relu_s8__dsp, tess_depthwise_pixels_3x3_linear_s8__dsp,
    tess_depthwise_pixels_3x3_relu_clamp_s8__dsp, tess_depthwise_pixels_3x3_clamp_s8__dsp;
tess_depthwise_pixels_t tess_depthwise_pixels_5x5_relu_s8__dsp, tess_depthwise_pixels_5x5_linear_s8__dsp,
    tess_depthwise_pixels_5x5_relu_clamp_s8__dsp, tess_depthwise_pixels_5x5_clamp_s8__dsp;
tess_depthwise_pixels_t tess_depthwise_pixels_7x7_relu_s8__dsp, tess_depthwise_pixels_7x7_linear_s8__dsp,
    tess_depthwise_pixels_7x7_relu_clamp_s8__dsp, tess_depthwise_pixels_7x7_clamp_s8__dsp;

/** Which taps of each row of a window lie inside the map: [head] [pairs] [tail] [odd]. */
typedef struct {
    const int8_t *const *rows_end; /**< rows inside the map only */
    int32_t head;                  /**< 1: of the first pair the second one */
    int32_t pairs;
    int32_t tail;       /**< 1: of the last pair the first one */
    int32_t odd;        /**< 1: the last tap of a row of odd length */
    int32_t skip_bytes; /**< of weights, from behind the taps of a row to those of the next */
    uint32_t padding;   /**< the zero point of the input, in four bytes */
} tess_depthwise_window_t;

/** One pixel of any kernel; step_bytes, count and rows of the run are not used. */
typedef void tess_depthwise_window_kernel_t(const tess_depthwise_pixels_run_t *run, const int8_t *const *rows,
                                            const tess_depthwise_window_t *window);

tess_depthwise_window_kernel_t tess_depthwise_window_relu_s8__dsp, tess_depthwise_window_linear_s8__dsp,
    tess_depthwise_window_relu_clamp_s8__dsp, tess_depthwise_window_clamp_s8__dsp;

typedef struct {
    tess_shape_t in, out;       /**< out.c == in.c */
    int32_t kernel_h, kernel_w; /**< kernel_h <= TESS_MAX_KERNEL_H */
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t in_zero_point;
    int32_t min, max; /**< fused activation as output values, -128 <= min <= max <= 127 */
    int32_t words;    /**< of the stream, of four channels */
    /**
     * Of each four channels (the last four where their number is no multiple of 4): four biases; the bytes of the
     * weights of each kernel row; of each channel multiplier, offset, shift as in tess_depthwise_channel_t. A kernel
     * row is pairs (a0, a1, b0, b1) (a2, a3, b2, b3) of neighbouring taps a, b, then of a row of odd length its last
     * tap (a0, a1, a2, a3).
     */
    const int32_t *stream;
    tess_depthwise_window_kernel_t *window; /**< of this clamp */
    tess_depthwise_pixels_t *pixels;        /**< of this kernel and clamp, or NULL: there is none */
} tess_depthwise_taps_s8_dsp_t;

/**
 * The whole map, four channels after the other, as tess_depthwise_conv2d_s8__dsp. in.c is a multiple of 4. scratch,
 * aligned to 4 bytes: kernel_h * in.w * 4 bytes.
 */
void tess_depthwise_taps_s8__dsp(const tess_depthwise_taps_s8_dsp_t *op, const int8_t *in, int8_t *out, void *scratch);

/** A span (tess_span_kernel_t) without scratch. in.c is at least 4. */
void tess_depthwise_taps_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin,
                                      int32_t x_end, int8_t *out, void *scratch);

#endif
