#include "tessera/conv2d.h"

#include "tessera/status.h"
#include "tessera/tess_math.h"
#include "tessera/window.h"

/* One output value. Pixel x of a row lies at row[x * step]; x of the window may lie left of the map. */
static int8_t output_value(const tess_depthwise_conv2d_s8_t *op, const int8_t *const *rows, int32_t first, int32_t step,
                           int32_t x, int32_t c)
{
    const tess_span_t taps = tess_taps_inside(x, op->kernel_w, op->in.w);
    int32_t acc = op->bias != NULL ? op->bias[c] : 0;

    for (int32_t ky = 0; ky < op->kernel_h; ++ky) {
        if (rows[ky] == NULL) {
            continue; /* padding holds the zero point and adds nothing */
        }
        for (int32_t kx = taps.begin; kx < taps.end; ++kx) {
            const int32_t pixel = rows[ky][first + (x + kx) * step];
            const int32_t weight = op->weights[(ky * op->kernel_w + kx) * op->out.c + c];
            acc += (pixel - op->in_zero_point) * (weight - op->weights_zero_point);
        }
    }
    return tess_requantize_s8(acc, &op->requant, c);
}

void tess_depthwise_conv2d_row_s8(const tess_depthwise_conv2d_s8_t *op, const int8_t *const *rows, int32_t x_begin,
                                  int32_t x_end, int8_t *restrict out)
{
    TESS_ASSERT(x_begin >= 0 && x_begin <= x_end && x_end <= op->out.w);
    TESS_ASSERT(op->out.c == op->in.c * op->depth_multiplier);
    for (int32_t x = x_begin; x < x_end; ++x) {
        for (int32_t c = 0; c < op->out.c; ++c) {
            *out++ = output_value(op, rows, c / op->depth_multiplier, op->in.c, x * op->stride_w - op->pad_left, c);
        }
    }
}

/* Copies channel c of the rows in [from, to) to the ring, row y to slot y % kernel_h. */
static void copy_rows(const tess_depthwise_conv2d_s8_t *op, const int8_t *in, int32_t c, int32_t from, int32_t to,
                      int8_t *ring)
{
    for (int32_t y = from; y < to; ++y) {
        for (int32_t x = 0; x < op->in.w; ++x) {
            ring[y % op->kernel_h * op->in.w + x] = in[(y * op->in.w + x) * op->in.c + c];
        }
    }
}

/* Output channel c from input channel in_c. */
static void run_channel(const tess_depthwise_conv2d_s8_t *op, const int8_t *in, int8_t *out, int32_t in_c, int32_t c,
                        int8_t *ring)
{
    const int8_t *rows[TESS_MAX_KERNEL_H];
    int32_t copied = 0;

    for (int32_t y = 0; y < op->out.h; ++y) {
        const int32_t top = y * op->stride_h - op->pad_top, end = tess_min(op->in.h, top + op->kernel_h);
        copy_rows(op, in, in_c, tess_max(copied, tess_max(top, 0)), end, ring);
        copied = tess_max(copied, end);
        for (int32_t i = 0; i < op->kernel_h; ++i) {
            const int32_t row = top + i;
            rows[i] = row >= 0 && row < op->in.h ? ring + row % op->kernel_h * op->in.w : NULL;
        }
        for (int32_t x = 0; x < op->out.w; ++x) {
            const int32_t left = x * op->stride_w - op->pad_left;
            out[(y * op->out.w + x) * op->out.c + c] = output_value(op, rows, 0, 1, left, c);
        }
    }
}

void tess_depthwise_conv2d_s8(const tess_depthwise_conv2d_s8_t *op, const int8_t *in, int8_t *out, void *scratch)
{
    TESS_ASSERT(op->kernel_h > 0 && op->kernel_h <= TESS_MAX_KERNEL_H);
    TESS_ASSERT(op->out.c == op->in.c * op->depth_multiplier);
    for (int32_t c = 0; c < op->out.c; ++c) {
        run_channel(op, in, out, c / op->depth_multiplier, c, scratch);
    }
}
