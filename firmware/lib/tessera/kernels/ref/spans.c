#include "tessera/spans.h"

#include <string.h>

#include "tessera/conv2d.h"
#include "tessera/elementwise.h"
#include "tessera/lookup.h"
#include "tessera/pool2d.h"
#include "tessera/resize.h"
#include "tessera/softmax.h"
#include "tessera/status.h"
#include "tessera/tess_math.h"
#include "tessera/words.h"

/* Windows. */

void tess_conv2d_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                         int8_t *out, void *scratch)
{
    (void)y, (void)scratch;
    tess_conv2d_row_s8(op, rows, x_begin, x_end, out);
}

void tess_depthwise_conv2d_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                   int8_t *out, void *scratch)
{
    (void)y, (void)scratch;
    tess_depthwise_conv2d_row_s8(op, rows, x_begin, x_end, out);
}

void tess_avg_pool2d_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                             int8_t *out, void *scratch)
{
    (void)y, (void)scratch;
    tess_avg_pool2d_row_s8(op, rows, x_begin, x_end, out);
}

void tess_max_pool2d_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                             int8_t *out, void *scratch)
{
    (void)y, (void)scratch;
    tess_max_pool2d_row_s8(op, rows, x_begin, x_end, out);
}

/* Pixel by pixel. */

void tess_conv2d_1x1_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                             int8_t *out, void *scratch)
{
    const tess_conv2d_1x1_s8_t *conv = op;

    (void)y, (void)scratch;
    tess_conv2d_1x1_s8(conv, rows[0] + x_begin * conv->in_c, out, x_end - x_begin);
}

void tess_softmax_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                          int8_t *out, void *scratch)
{
    const tess_softmax_s8_t *softmax = op;

    (void)y, (void)scratch;
    tess_softmax_s8(softmax, rows[0] + x_begin * softmax->length, out, x_end - x_begin);
}

void tess_lookup_span_8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                        int8_t *out, void *scratch)
{
    const tess_lookup_span_8_t *lookup = op;
    const int8_t *in = rows[0] + x_begin * lookup->channels;

    (void)y, (void)scratch;
    tess_lookup_8(lookup->table, (const uint8_t *)in, (uint8_t *)out, (x_end - x_begin) * lookup->channels);
}

/* Two operands: the struct is that of one pixel. */

/* One pixel's walk made that of a run of pixels; two rows of maps are walked as one run of elements. */
static void widen(tess_broadcast_t *shape, int32_t pixels)
{
    const int32_t channels = shape->dims[1];

    TESS_ASSERT(shape->rank == 2 && shape->dims[0] == 1);
    if (shape->a_strides[0] == channels && shape->b_strides[0] == channels) {
        *shape = (tess_broadcast_t){.rank = 1, .dims = {pixels * channels}, .a_strides = {1}, .b_strides = {1}};
    } else {
        shape->dims[0] = pixels;
    }
}

void tess_add_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end, int8_t *out,
                      void *scratch)
{
    tess_add_s8_t add = *(const tess_add_s8_t *)op;
    const int8_t *a = rows[0] + x_begin * add.shape.a_strides[0], *b = rows[1] + x_begin * add.shape.b_strides[0];

    (void)y, (void)scratch;
    widen(&add.shape, x_end - x_begin);
    tess_add_s8(&add, a, b, out);
}

void tess_sub_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end, int8_t *out,
                      void *scratch)
{
    tess_add_s8_t sub = *(const tess_add_s8_t *)op;
    const int8_t *a = rows[0] + x_begin * sub.shape.a_strides[0], *b = rows[1] + x_begin * sub.shape.b_strides[0];

    (void)y, (void)scratch;
    widen(&sub.shape, x_end - x_begin);
    tess_sub_s8(&sub, a, b, out);
}

void tess_mul_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end, int8_t *out,
                      void *scratch)
{
    tess_mul_s8_t mul = *(const tess_mul_s8_t *)op;
    const int8_t *a = rows[0] + x_begin * mul.shape.a_strides[0], *b = rows[1] + x_begin * mul.shape.b_strides[0];

    (void)y, (void)scratch;
    widen(&mul.shape, x_end - x_begin);
    tess_mul_s8(&mul, a, b, out);
}

void tess_prelu_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                        int8_t *out, void *scratch)
{
    tess_prelu_s8_t prelu = *(const tess_prelu_s8_t *)op;
    const int8_t *x = rows[0] + x_begin * prelu.shape.a_strides[0];
    const int8_t *alpha = rows[1] + x_begin * prelu.shape.b_strides[0];

    (void)y, (void)scratch;
    widen(&prelu.shape, x_end - x_begin);
    tess_prelu_s8(&prelu, x, alpha, out);
}

/* Movers of bytes. */

void tess_concatenation_span_8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                               int8_t *out, void *scratch)
{
    const tess_concatenation_span_8_t *concatenation = op;

    (void)y, (void)scratch;
    for (int32_t x = x_begin; x < x_end; ++x) {
        for (int32_t i = 0; i < concatenation->count; ++i) {
            const int32_t channels = concatenation->channels[i];
            tess_copy_bytes(out, rows[i] + x * channels, channels);
            out += channels;
        }
    }
}

void tess_pad_span_8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end, int8_t *out,
                     void *scratch)
{
    const tess_pad_span_8_t *pad = op;
    const int32_t begin = rows[0] == NULL ? x_end : tess_min(tess_max(pad->pad_left, x_begin), x_end);
    const int32_t end = tess_max(tess_min(pad->pad_left + pad->in_w, x_end), begin); /* [begin, end) see the map */
    const int32_t c = pad->channels;

    (void)y, (void)scratch;
    memset(out, pad->value, (size_t)((begin - x_begin) * c));
    if (begin < end) {
        tess_copy_bytes(out + (begin - x_begin) * c, rows[0] + (begin - pad->pad_left) * c, (end - begin) * c);
    }
    memset(out + (end - x_begin) * c, pad->value, (size_t)((x_end - end) * c));
}

void tess_resize_nearest_span_8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                int8_t *out, void *scratch)
{
    (void)y, (void)scratch;
    tess_resize_nearest_row_8(op, rows, x_begin, x_end, out);
}

void tess_resize_bilinear_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                  int8_t *out, void *scratch)
{
    const tess_resize_bilinear_s8_t *resize = op;
    const int8_t *const pair[2] = {rows[0], rows[resize->row[y].high - resize->row[y].low]};

    (void)scratch;
    tess_resize_bilinear_row_s8(resize, pair, y, x_begin, x_end, out);
}
