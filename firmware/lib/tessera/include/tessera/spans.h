/**
 * Kernels as a streamed stage calls them (tess_span_kernel_t in stage.h): columns [x_begin, x_end) of one row.
 *
 * Bit-exact with the kernels that compute whole maps, whose arithmetic they share. The output of an element-wise one
 * (lookup, add, sub, mul, prelu) may be the span of a row of the output's shape that it reads; no other may lie over
 * anything that its kernel reads.
 */
#ifndef TESSERA_SPANS_H
#define TESSERA_SPANS_H

#include "tessera/stage.h"

/* Windows: op is the whole map's struct; rows are those of the window, NULL outside the map. */
void tess_conv2d_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                         int8_t *out, void *scratch);
void tess_depthwise_conv2d_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                   int8_t *out, void *scratch);
void tess_avg_pool2d_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                             int8_t *out, void *scratch);
void tess_max_pool2d_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                             int8_t *out, void *scratch);

/* Pixel by pixel: op is tess_conv2d_1x1_s8_t, or tess_softmax_s8_t, which runs over the channels of a pixel. */
void tess_conv2d_1x1_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                             int8_t *out, void *scratch);
void tess_softmax_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                          int8_t *out, void *scratch);

/*
 * Two operands: op is tess_add_s8_t, tess_mul_s8_t or tess_prelu_s8_t for one pixel: shape.rank is 2, shape.dims
 * {1, channels}. An operand's stride from pixel to pixel is the channels for a row of a map, whose column 0 its pointer
 * names, and 0 for a vector that repeats.
 */
void tess_add_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end, int8_t *out,
                      void *scratch);
void tess_sub_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end, int8_t *out,
                      void *scratch);
void tess_mul_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end, int8_t *out,
                      void *scratch);
void tess_prelu_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                        int8_t *out, void *scratch);

typedef struct {
    int32_t channels;
    const uint8_t *table; /**< [256] indexed by the byte as unsigned */
} tess_lookup_span_8_t;

void tess_lookup_span_8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                        int8_t *out, void *scratch);

/** Pixels side by side: one row a source, output channels in the order of the sources. */
typedef struct {
    int32_t count;           /**< of sources, in [1, TESS_MAX_SOURCES] */
    const int32_t *channels; /**< [count] */
} tess_concatenation_span_8_t;

void tess_concatenation_span_8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                               int8_t *out, void *scratch);

/** A border of one value. rows[0] is NULL above and below the map. */
typedef struct {
    int32_t in_w, channels;
    int32_t pad_left;
    int32_t value; /**< in [-128, 255]; its low byte fills */
} tess_pad_span_8_t;

void tess_pad_span_8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end, int8_t *out,
                     void *scratch);

/* op is the whole map's struct. rows[0] is input row op->row[y]; of a bilinear resize rows[0] and rows[1] are input row
 * op->row[y].low and the one below, which is read only where .high names it. */
void tess_resize_nearest_span_8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                int8_t *out, void *scratch);
void tess_resize_bilinear_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                  int8_t *out, void *scratch);

/*
 * Means over a whole map: y and columns are the input's, rows[0] is its row y. Pieces cover the map once, its first
 * pixel first and its last one last. out, aligned to 4 bytes, holds int32 sums [in.c] from piece to piece, and after
 * the last one the result over its first in.c bytes.
 */
typedef struct {
    tess_shape_t in;
    int32_t in_zero_point;
    tess_multiplier_t out; /**< for the sum of all pixels */
    int32_t zero_point;
} tess_mean_map_s8_t;

void tess_mean_map_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                           int8_t *out, void *scratch);

/** op is the tess_pool2d_s8_t of one window: the map. */
void tess_avg_pool2d_map_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                 int8_t *out, void *scratch);

/** op is tess_mean_of_means_s8_t. A row's pieces follow each other; out holds 2 * in.c sums. */
void tess_mean_of_means_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                int8_t *out, void *scratch);

#endif
