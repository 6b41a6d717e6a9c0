#include "tessera/pool2d_dsp.h"

#include "channel_groups.h"
#include "channel_sums_s8.h"
#include "tessera/status.h"
#include "tessera/sums.h"
#include "tessera/window.h"

static int8_t mean_of(const tess_pool2d_s8_t *op, int32_t raw_sum, int32_t count)
{
    const int32_t sum = raw_sum - op->raw_zero * count;
    const int32_t mean = op->raw_zero + (sum > 0 ? sum + count / 2 : sum - count / 2) / count;

    return tess_clamp_s8(mean, op->min, op->max);
}

/* All channels of the window whose first column is x. */
static void pool_pixel(const tess_pool2d_s8_t *op, const int8_t *const *rows, int32_t x, int8_t *out)
{
    const tess_span_t taps = tess_taps_inside(x, op->kernel_w, op->in.w);
    const int32_t channels = op->in.c, columns = taps.end - taps.begin;
    const int32_t first = (x + taps.begin) * channels;

    for (int32_t c = 0; c < channels; c = tess_next_group(c, channels)) {
        tess_channel_sums_t sums = {0, 0};
        int32_t totals[4] = {0, 0, 0, 0}, count = 0;
        for (int32_t ky = 0; ky < op->kernel_h; ++ky) {
            if (rows[ky] != NULL) {
                sums = tess_sum_pixels4(sums, rows[ky] + first + c, columns, channels);
                count += columns;
            }
        }
        TESS_ASSERT(count > 0 && count <= TESS_PAIR_PIXELS);
        tess_add_sums4(totals, sums);
#pragma GCC unroll 4
        for (int32_t i = 0; i < 4; ++i) {
            out[c + i] = mean_of(op, totals[i], count);
        }
    }
}

static void pool_row(const tess_pool2d_s8_t *op, const int8_t *const *rows, int32_t x_begin, int32_t x_end, int8_t *out)
{
    TESS_ASSERT(op->in.c >= 4 && x_begin >= 0 && x_begin <= x_end && x_end <= op->out.w);
    for (int32_t x = x_begin; x < x_end; ++x, out += op->in.c) {
        pool_pixel(op, rows, x * op->stride_w - op->pad_left, out);
    }
}

void tess_avg_pool2d_s8__dsp(const tess_pool2d_s8_t *op, const int8_t *in, int8_t *out)
{
    const int8_t *rows[TESS_MAX_KERNEL_H];

    for (int32_t y = 0; y < op->out.h; ++y, out += op->out.w * op->out.c) {
        tess_window_rows(in, &op->in, y * op->stride_h - op->pad_top, op->kernel_h, rows);
        pool_row(op, rows, 0, op->out.w, out);
    }
}

void tess_avg_pool2d_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                  int8_t *out, void *scratch)
{
    (void)y, (void)scratch;
    pool_row(op, rows, x_begin, x_end, out);
}

void tess_avg_pool2d_map_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin,
                                      int32_t x_end, int8_t *out, void *scratch)
{
    const tess_pool2d_s8_t *pool = op;
    const int32_t channels = pool->in.c, pixels = pool->in.h * pool->in.w;
    int32_t *sums = tess_sums_at(out);

    (void)scratch;
    if (tess_is_first_piece(y, x_begin)) {
        tess_fill_sums(sums, channels, 0);
    }
    tess_add_raw_pixels(sums, rows[0] + x_begin * channels, x_end - x_begin, channels);
    for (int32_t c = 0; tess_is_last_piece(&pool->in, y, x_end) && c < channels; ++c) {
        out[c] = mean_of(pool, sums[c], pixels);
    }
}
