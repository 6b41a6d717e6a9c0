#include "tessera/conv2d.h"

#include "tessera/status.h"
#include "tessera/tess_math.h"
#include "tessera/window.h"

static int32_t dot_window(const tess_depthwise_conv2d_s8_t *op, const int8_t *const *rows, int32_t x, int32_t in_c,
                          int32_t c)
{
    const tess_span_t taps = tess_taps_inside(x, op->kernel_w, op->in.w);
    int32_t acc = op->bias != NULL ? op->bias[c] : 0;

    for (int32_t ky = 0; ky < op->kernel_h; ++ky) {
        if (rows[ky] == NULL) {
            continue; /* padding holds the zero point and adds nothing */
        }
        for (int32_t kx = taps.begin; kx < taps.end; ++kx) {
            const int32_t pixel = rows[ky][(x + kx) * op->in.c + in_c];
            const int32_t weight = op->weights[(ky * op->kernel_w + kx) * op->out.c + c];
            acc += (pixel - op->in_zero_point) * (weight - op->weights_zero_point);
        }
    }
    return acc;
}

void tess_depthwise_conv2d_row_s8(const tess_depthwise_conv2d_s8_t *op, const int8_t *const *rows, int32_t x_begin,
                                  int32_t x_end, int8_t *restrict out)
{
    TESS_ASSERT(x_begin >= 0 && x_begin <= x_end && x_end <= op->out.w);
    TESS_ASSERT(op->out.c == op->in.c * op->depth_multiplier);
    for (int32_t x = x_begin; x < x_end; ++x) {
        const int32_t window_x = x * op->stride_w - op->pad_left;
        int32_t c = 0;
        for (int32_t in_c = 0; in_c < op->in.c; ++in_c) {
            for (int32_t m = 0; m < op->depth_multiplier; ++m, ++c) {
                *out++ = tess_requantize_s8(dot_window(op, rows, window_x, in_c, c), &op->requant, c);
            }
        }
    }
}

void tess_depthwise_conv2d_s8(const tess_depthwise_conv2d_s8_t *op, const int8_t *in, int8_t *out)
{
    const int8_t *rows[TESS_MAX_KERNEL_H];

    for (int32_t y = 0; y < op->out.h; ++y, out += op->out.w * op->out.c) {
        tess_window_rows(in, &op->in, y * op->stride_h - op->pad_top, op->kernel_h, rows);
        tess_depthwise_conv2d_row_s8(op, rows, 0, op->out.w, out);
    }
}
