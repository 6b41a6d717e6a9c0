#include "tessera/pool2d.h"

#include <string.h>

#include "tessera/spans.h"
#include "tessera/status.h"
#include "tessera/sums.h"
#include "tessera/tess_math.h"
#include "tessera/window.h"

static int32_t mean_of(int32_t sum, int32_t count, int32_t raw_zero)
{
    return raw_zero + (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

static int32_t mean_of_window(const tess_pool2d_s8_t *op, const int8_t *const *rows, int32_t x, int32_t c)
{
    const tess_span_t taps = tess_taps_inside(x, op->kernel_w, op->in.w);
    int32_t sum = 0, count = 0;

    for (int32_t ky = 0; ky < op->kernel_h; ++ky) {
        if (rows[ky] == NULL) {
            continue;
        }
        for (int32_t kx = taps.begin; kx < taps.end; ++kx, ++count) {
            sum += rows[ky][(x + kx) * op->in.c + c] - op->raw_zero;
        }
    }
    TESS_ASSERT(count > 0);
    return mean_of(sum, count, op->raw_zero);
}

void tess_avg_pool2d_row_s8(const tess_pool2d_s8_t *op, const int8_t *const *rows, int32_t x_begin, int32_t x_end,
                            int8_t *restrict out)
{
    TESS_ASSERT(x_begin >= 0 && x_begin <= x_end && x_end <= op->out.w);
    for (int32_t x = x_begin; x < x_end; ++x) {
        for (int32_t c = 0; c < op->in.c; ++c) {
            const int32_t mean = mean_of_window(op, rows, x * op->stride_w - op->pad_left, c);
            *out++ = tess_clamp_s8(mean, op->min, op->max);
        }
    }
}

void tess_avg_pool2d_s8(const tess_pool2d_s8_t *op, const int8_t *in, int8_t *out)
{
    const int8_t *rows[TESS_MAX_KERNEL_H];

    for (int32_t y = 0; y < op->out.h; ++y, out += op->out.w * op->out.c) {
        tess_window_rows(in, &op->in, y * op->stride_h - op->pad_top, op->kernel_h, rows);
        tess_avg_pool2d_row_s8(op, rows, 0, op->out.w, out);
    }
}

void tess_avg_pool2d_map_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                 int8_t *out, void *scratch)
{
    const tess_pool2d_s8_t *pool = op;
    const int32_t channels = pool->in.c, pixels = pool->in.h * pool->in.w;
    int32_t *sums = tess_sums_at(out);

    (void)scratch;
    if (tess_is_first_piece(y, x_begin)) {
        memset(sums, 0, (size_t)channels * sizeof *sums);
    }
    tess_add_pixels(sums, rows[0] + x_begin * channels, x_end - x_begin, channels, pool->raw_zero);
    for (int32_t c = 0; tess_is_last_piece(&pool->in, y, x_end) && c < channels; ++c) {
        out[c] = tess_clamp_s8(mean_of(sums[c], pixels, pool->raw_zero), pool->min, pool->max);
    }
}
