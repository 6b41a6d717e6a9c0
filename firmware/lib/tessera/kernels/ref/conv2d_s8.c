#include "tessera/conv2d.h"

#include "tessera/status.h"
#include "tessera/tess_math.h"
#include "tessera/window.h"

/* One output value: the window from column x of output channel c. A run of taps is contiguous in both row and weights.
 */
static int32_t dot_window(const tess_conv2d_s8_t *op, const int8_t *const *rows, int32_t x, int32_t c)
{
    const int32_t row_weights = op->kernel_w * op->in.c;
    const int8_t *weights = op->weights + c * op->kernel_h * row_weights;
    const tess_span_t taps = tess_taps_inside(x, op->kernel_w, op->in.w);
    const int32_t count = (taps.end - taps.begin) * op->in.c;
    int32_t acc = op->bias != NULL ? op->bias[c] : 0;

    for (int32_t ky = 0; ky < op->kernel_h; ++ky, weights += row_weights) {
        if (rows[ky] != NULL && count > 0) { /* padding holds the zero point and adds nothing */
            acc += tess_dot_s8(rows[ky] + (x + taps.begin) * op->in.c, op->in_zero_point,
                               weights + taps.begin * op->in.c, op->weights_zero_point, count);
        }
    }
    return acc;
}

void tess_conv2d_row_s8(const tess_conv2d_s8_t *op, const int8_t *const *rows, int32_t x_begin, int32_t x_end,
                        int8_t *restrict out)
{
    TESS_ASSERT(x_begin >= 0 && x_begin <= x_end && x_end <= op->out.w);
    for (int32_t x = x_begin; x < x_end; ++x) {
        for (int32_t c = 0; c < op->out.c; ++c) {
            *out++ = tess_requantize_s8(dot_window(op, rows, x * op->stride_w - op->pad_left, c), &op->requant, c);
        }
    }
}

void tess_conv2d_s8(const tess_conv2d_s8_t *op, const int8_t *in, int8_t *out)
{
    const int8_t *rows[TESS_MAX_KERNEL_H];

    for (int32_t y = 0; y < op->out.h; ++y, out += op->out.w * op->out.c) {
        tess_window_rows(in, &op->in, y * op->stride_h - op->pad_top, op->kernel_h, rows);
        tess_conv2d_row_s8(op, rows, 0, op->out.w, out);
    }
}
