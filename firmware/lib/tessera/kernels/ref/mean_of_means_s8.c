#include "tessera/mean.h"

#include <string.h>

#include "tessera/spans.h"
#include "tessera/sums.h"
#include "tessera/tess_math.h"

static int8_t scaled(int32_t sum, const tess_multiplier_t *m, int32_t zero_point)
{
    return tess_clamp_s8(zero_point + tess_rescale(sum, m->multiplier, m->shift), INT8_MIN, INT8_MAX);
}

/* The mean of a row's pixels, less its zero point. */
static int32_t mean_of_row(const tess_mean_of_means_s8_t *op, int32_t row_sum)
{
    return scaled(row_sum, &op->row, op->row_zero_point) - op->row_zero_point;
}

void tess_mean_of_means_s8(const tess_mean_of_means_s8_t *op, const int8_t *in, int8_t *out)
{
    for (int32_t c = 0; c < op->in.c; ++c) { /* channel by channel, so that no sums need a place */
        const int8_t *pixel = in + c;
        int32_t sum = 0;
        for (int32_t y = 0; y < op->in.h; ++y) {
            int32_t row_sum = 0;
            for (int32_t x = 0; x < op->in.w; ++x, pixel += op->in.c) {
                row_sum += *pixel - op->in_zero_point;
            }
            sum += mean_of_row(op, row_sum);
        }
        out[c] = scaled(sum, &op->out, op->zero_point);
    }
}

void tess_mean_of_means_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                int8_t *out, void *scratch)
{
    const tess_mean_of_means_s8_t *mean = op;
    const int32_t channels = mean->in.c;
    int32_t *sums = tess_sums_at(out), *row_sums = sums + channels;

    (void)scratch;
    if (tess_is_first_piece(y, x_begin)) {
        memset(sums, 0, (size_t)channels * sizeof *sums);
    }
    if (x_begin == 0) {
        memset(row_sums, 0, (size_t)channels * sizeof *row_sums);
    }
    tess_add_pixels(row_sums, rows[0] + x_begin * channels, x_end - x_begin, channels, mean->in_zero_point);
    for (int32_t c = 0; x_end == mean->in.w && c < channels; ++c) {
        sums[c] += mean_of_row(mean, row_sums[c]);
    }
    for (int32_t c = 0; tess_is_last_piece(&mean->in, y, x_end) && c < channels; ++c) {
        out[c] = scaled(sums[c], &mean->out, mean->zero_point);
    }
}
