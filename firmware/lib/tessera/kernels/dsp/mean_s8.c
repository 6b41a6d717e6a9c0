#include "tessera/mean_dsp.h"

#include <string.h>

#include "channel_groups.h"
#include "channel_sums_s8.h"
#include "tessera/status.h"
#include "tessera/sums.h"

enum { LEAST_SHIFT = -22 }; /* so far the zero point and one half, times 2^-shift, fit in 32 bits */

/* |sum| < 2^30. With a shift to the right, as almost always, see gemm_s8.S. */
static inline int8_t scaled(int32_t sum, const tess_multiplier_t *m, int32_t zero_point)
{
    if (m->shift >= 0 || m->shift < LEAST_SHIFT) {
        return tess_clamp_s8(zero_point + tess_rescale(sum, m->multiplier, m->shift), INT8_MIN, INT8_MAX);
    }
    const int32_t k = (2 * zero_point + 1) * (1 << (-m->shift - 1)); /* the zero point and one half */
    const int32_t high = tess_smmlar(2 * sum, m->multiplier, k);

    return (int8_t)tess_ssat8((high + (sum >> 31)) >> -m->shift);
}

void tess_mean_map_s8__dsp(const tess_mean_map_s8_t *op, const int8_t *in, int8_t *out)
{
    const int32_t channels = op->in.c, pixels = op->in.h * op->in.w, zero = op->in_zero_point * pixels;

    TESS_ASSERT(channels >= 4);
    for (int32_t c = 0; c < channels; c = tess_next_group(c, channels)) {
        int32_t totals[4] = {-zero, -zero, -zero, -zero};
        tess_add_pixels4(totals, in + c, pixels, channels);
        for (int32_t i = 0; i < 4; ++i) {
            out[c + i] = scaled(totals[i], &op->out, op->zero_point);
        }
    }
}

void tess_mean_map_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                int8_t *out, void *scratch)
{
    const tess_mean_map_s8_t *mean = op;
    const int32_t channels = mean->in.c;
    int32_t *sums = tess_sums_at(out);

    (void)scratch;
    if (tess_is_first_piece(y, x_begin)) {
        memset(sums, 0, (size_t)channels * sizeof *sums);
    }
    tess_add_pixels_dsp(sums, rows[0] + x_begin * channels, x_end - x_begin, channels, mean->in_zero_point);
    for (int32_t c = 0; tess_is_last_piece(&mean->in, y, x_end) && c < channels; ++c) {
        out[c] = scaled(sums[c], &mean->out, mean->zero_point);
    }
}

/* The mean of a row's pixels, less its zero point. */
static int32_t mean_of_row(const tess_mean_of_means_s8_t *op, int32_t row_sum)
{
    return scaled(row_sum, &op->row, op->row_zero_point) - op->row_zero_point;
}

void tess_mean_of_means_s8__dsp(const tess_mean_of_means_s8_t *op, const int8_t *in, int8_t *out)
{
    const int32_t channels = op->in.c, width = op->in.w, zero = op->in_zero_point * width;

    TESS_ASSERT(channels >= 4);
    for (int32_t c = 0; c < channels; c = tess_next_group(c, channels)) {
        int32_t sums[4] = {0, 0, 0, 0};
        for (int32_t y = 0; y < op->in.h; ++y) {
            int32_t row_sums[4] = {-zero, -zero, -zero, -zero};
            tess_add_pixels4(row_sums, in + y * width * channels + c, width, channels);
            for (int32_t i = 0; i < 4; ++i) {
                sums[i] += mean_of_row(op, row_sums[i]);
            }
        }
        for (int32_t i = 0; i < 4; ++i) {
            out[c + i] = scaled(sums[i], &op->out, op->zero_point);
        }
    }
}

void tess_mean_of_means_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin,
                                     int32_t x_end, int8_t *out, void *scratch)
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
    tess_add_pixels_dsp(row_sums, rows[0] + x_begin * channels, x_end - x_begin, channels, mean->in_zero_point);
    for (int32_t c = 0; x_end == mean->in.w && c < channels; ++c) {
        sums[c] += mean_of_row(mean, row_sums[c]);
    }
    for (int32_t c = 0; tess_is_last_piece(&mean->in, y, x_end) && c < channels; ++c) {
        out[c] = scaled(sums[c], &mean->out, mean->zero_point);
    }
}
