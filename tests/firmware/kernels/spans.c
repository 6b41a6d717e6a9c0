/** A row computed in spans of columns, from row pointers, must equal the row of the whole map. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tessera/tessera.h"
#include "tessera/window.h"

enum { H = 9, W = 11, C = 5, OUT_C = 10, MOST = 32 * 32 * OUT_C };

typedef void (*row_kernel_t)(const void *op, const int8_t *const *rows, int32_t y, int32_t begin, int32_t end,
                             int8_t *out);

/* How a whole map is cut: the geometry that the kernels share. */
typedef struct {
    const char *name;
    const void *op;
    row_kernel_t row;
    tess_shape_t in, out;
    int32_t kernel_h, stride_h, pad_top;
} map_t;

static uint32_t state = 1;

static int32_t draw(int32_t begin, int32_t end)
{
    state = state * 1664525u + 1013904223u;
    return begin + (int32_t)((state >> 8) % (uint32_t)(end - begin));
}

static void fill(int8_t *data, int32_t count)
{
    for (int32_t i = 0; i < count; ++i) {
        data[i] = (int8_t)draw(-128, 128);
    }
}

static void conv2d(const void *op, const int8_t *const *rows, int32_t y, int32_t begin, int32_t end, int8_t *out)
{
    (void)y;
    tess_conv2d_row_s8(op, rows, begin, end, out);
}

static void depthwise(const void *op, const int8_t *const *rows, int32_t y, int32_t begin, int32_t end, int8_t *out)
{
    (void)y;
    tess_depthwise_conv2d_row_s8(op, rows, begin, end, out);
}

static void avg_pool(const void *op, const int8_t *const *rows, int32_t y, int32_t begin, int32_t end, int8_t *out)
{
    (void)y;
    tess_avg_pool2d_row_s8(op, rows, begin, end, out);
}

static void max_pool(const void *op, const int8_t *const *rows, int32_t y, int32_t begin, int32_t end, int8_t *out)
{
    (void)y;
    tess_max_pool2d_row_s8(op, rows, begin, end, out);
}

static void nearest(const void *op, const int8_t *const *rows, int32_t y, int32_t begin, int32_t end, int8_t *out)
{
    (void)y;
    tess_resize_nearest_row_8(op, rows, begin, end, out);
}

static void bilinear(const void *op, const int8_t *const *rows, int32_t y, int32_t begin, int32_t end, int8_t *out)
{
    tess_resize_bilinear_row_s8(op, rows, y, begin, end, out);
}

static void expect(int ok, const char *name)
{
    if (!ok) {
        fprintf(stderr, "%s: spans differ from the whole map\n", name);
        exit(EXIT_FAILURE);
    }
}

/* Rows lie each for itself on the heap, as in a ring, so that AddressSanitizer sees a column outside the row. */
static void check_row(const map_t *m, const int8_t *const *rows, int32_t y, const int8_t *expected)
{
    for (int32_t begin = 0, end = 0; begin < m->out.w; begin = end) {
        end = tess_min(m->out.w, begin + draw(1, 5));
        const size_t bytes = (size_t)((end - begin) * m->out.c);
        int8_t *out = malloc(bytes);
        m->row(m->op, rows, y, begin, end, out);
        expect(memcmp(out, expected + begin * m->out.c, bytes) == 0, m->name);
        free(out);
    }
}

static const int8_t *copy_row(const map_t *m, const int8_t *in, int32_t y)
{
    const size_t bytes = (size_t)(m->in.w * m->in.c);

    return y < 0 || y >= m->in.h ? NULL : memcpy(malloc(bytes), in + y * m->in.w * m->in.c, bytes);
}

static void check_window_map(const map_t *m, const int8_t *in, const int8_t *expected)
{
    for (int32_t y = 0; y < m->out.h; ++y) {
        const int8_t *rows[TESS_MAX_KERNEL_H];
        for (int32_t i = 0; i < m->kernel_h; ++i) {
            rows[i] = copy_row(m, in, y * m->stride_h - m->pad_top + i);
        }
        check_row(m, rows, y, expected + y * m->out.w * m->out.c);
        for (int32_t i = 0; i < m->kernel_h; ++i) {
            free((void *)(uintptr_t)rows[i]);
        }
    }
}

static void check_resize_map(const map_t *m, const int8_t *in, const int8_t *expected, const tess_interpolation_t *row)
{
    for (int32_t y = 0; y < m->out.h; ++y) {
        const int8_t *const rows[2] = {copy_row(m, in, row[y].low), copy_row(m, in, row[y].high)};
        check_row(m, rows, y, expected + y * m->out.w * m->out.c);
        free((void *)(uintptr_t)rows[0]);
        free((void *)(uintptr_t)rows[1]);
    }
}

static void check_windows(const int8_t *in, int32_t kernel, int32_t stride, int32_t pad)
{
    static int8_t weights[OUT_C * 7 * 7 * C], expected[MOST], ring[7 * W];
    static int32_t bias[OUT_C], multiplier[OUT_C];
    static int8_t shift[OUT_C];
    const int32_t out_h = (H + 2 * pad - kernel) / stride + 1, out_w = (W + 2 * pad - kernel) / stride + 1;
    const tess_shape_t in_shape = {H, W, C}, wide = {out_h, out_w, OUT_C}, same = {out_h, out_w, C};

    fill(weights, (int32_t)sizeof weights);
    for (int32_t c = 0; c < OUT_C; ++c) {
        bias[c] = draw(-5000, 5000);
        multiplier[c] = draw(1 << 30, INT32_MAX);
        shift[c] = (int8_t)draw(-9, -4);
    }
    const tess_requant_t requant = {multiplier, shift, draw(-128, 128), -128, 127};
    const tess_conv2d_s8_t conv = {in_shape, wide, kernel, kernel,  stride, stride, pad,
                                   pad,      -128, 3,      weights, bias,   requant};
    const tess_depthwise_conv2d_s8_t dw = {in_shape, wide, kernel, kernel, stride,  stride, pad,
                                           pad,      2,    127,    0,      weights, NULL,   requant};
    const tess_pool2d_s8_t pool = {in_shape, same, kernel, kernel, stride, stride, pad, pad, -128, -100, 100};

    tess_conv2d_s8(&conv, in, expected);
    check_window_map(&(map_t){"conv2d", &conv, conv2d, in_shape, wide, kernel, stride, pad}, in, expected);
    tess_depthwise_conv2d_s8(&dw, in, expected, ring);
    check_window_map(&(map_t){"depthwise", &dw, depthwise, in_shape, wide, kernel, stride, pad}, in, expected);
    tess_avg_pool2d_s8(&pool, in, expected);
    check_window_map(&(map_t){"avg_pool2d", &pool, avg_pool, in_shape, same, kernel, stride, pad}, in, expected);
    tess_max_pool2d_s8(&pool, in, expected);
    check_window_map(&(map_t){"max_pool2d", &pool, max_pool, in_shape, same, kernel, stride, pad}, in, expected);
}

static void check_resizes(const int8_t *in)
{
    enum { OUT_H = 17, OUT_W = 23 };
    static int8_t expected[OUT_H * OUT_W * C];
    const tess_shape_t in_shape = {H, W, C}, out_shape = {OUT_H, OUT_W, C};
    tess_interpolation_t row[OUT_H], column[OUT_W];
    int32_t nearest_row[OUT_H], nearest_column[OUT_W];

    for (int32_t i = 0; i < OUT_H; ++i) {
        const int32_t low = i * H / OUT_H;
        row[i] = (tess_interpolation_t){low, tess_min(low + 1, H - 1), draw(-512, 1025)};
        nearest_row[i] = low;
    }
    for (int32_t i = 0; i < OUT_W; ++i) {
        const int32_t low = i * W / OUT_W;
        column[i] = (tess_interpolation_t){low, tess_min(low + 1, W - 1), draw(0, 1025)};
        nearest_column[i] = low;
    }
    const tess_resize_nearest_8_t by_nearest = {in_shape, out_shape, nearest_row, nearest_column};
    const tess_resize_bilinear_s8_t by_weight = {in_shape, out_shape, row, column};

    tess_resize_nearest_8(&by_nearest, in, expected);
    check_resize_map(&(map_t){"nearest", &by_nearest, nearest, in_shape, out_shape, 1, 1, 0}, in, expected, row);
    tess_resize_bilinear_s8(&by_weight, in, expected);
    check_resize_map(&(map_t){"bilinear", &by_weight, bilinear, in_shape, out_shape, 2, 1, 0}, in, expected, row);
}

int main(void)
{
    static int8_t in[H * W * C];

    fill(in, (int32_t)sizeof in);
    for (int32_t kernel = 1; kernel <= 7; ++kernel) {
        for (int32_t stride = 1; stride <= 3; ++stride) {
            for (int32_t pad = 0; pad < kernel; ++pad) {
                check_windows(in, kernel, stride, pad);
            }
        }
    }
    check_resizes(in);
    return EXIT_SUCCESS;
}
