#include "tessera/mean_dsp.h"

#include "channel_groups.h"
#include "channel_sums_s8.h"
#include "tessera/status.h"
#include "tessera/sums.h"

enum { MOST_SHIFT = 22 }; /* so far the zero point and one half, times 2^shift, fit in 32 bits */

/* How a sum is scaled. A copy on the stack, as the compiler must take any constant for changed by a store of bytes. */
typedef struct {
    tess_multiplier_t by;
    int32_t zero_point;
    int32_t right, k; /* right 0: by the portable way. Else see gemm_s8.S */
} scale_t;

static scale_t scale_of(const tess_multiplier_t *by, int32_t zero_point)
{
    const int32_t right = by->shift < 0 && by->shift >= -MOST_SHIFT ? -by->shift : 0;

    return (scale_t){*by, zero_point, right, right > 0 ? (2 * zero_point + 1) * (1 << (right - 1)) : 0};
}

/* |sum| < 2^30 */
static inline int8_t scaled(int32_t sum, const scale_t *s)
{
    if (s->right == 0) {
        return tess_clamp_s8(s->zero_point + tess_rescale(sum, s->by.multiplier, s->by.shift), INT8_MIN, INT8_MAX);
    }
    return (int8_t)tess_ssat8((tess_smmlar(2 * sum, s->by.multiplier, s->k) + (sum >> 31)) >> s->right);
}

void tess_mean_map_s8__dsp(const tess_mean_map_s8_t *op, const int8_t *in, int8_t *out)
{
    const int32_t channels = op->in.c, pixels = op->in.h * op->in.w, zero = op->in_zero_point * pixels;
    const scale_t scale = scale_of(&op->out, op->zero_point);

    TESS_ASSERT(channels >= 4);
    for (int32_t c = 0; c < channels; c = tess_next_group(c, channels)) {
        int32_t totals[4] = {-zero, -zero, -zero, -zero};
        tess_add_pixels4(totals, in + c, pixels, channels);
#pragma GCC unroll 4
        for (int32_t i = 0; i < 4; ++i) {
            out[c + i] = scaled(totals[i], &scale);
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
        tess_fill_sums(sums, channels, -mean->in_zero_point * mean->in.h * mean->in.w);
    }
    tess_add_raw_pixels(sums, rows[0] + x_begin * channels, x_end - x_begin, channels);
    const scale_t scale = scale_of(&mean->out, mean->zero_point);
    for (int32_t c = 0; tess_is_last_piece(&mean->in, y, x_end) && c < channels; ++c) {
        out[c] = scaled(sums[c], &scale);
    }
}

void tess_mean_of_means_s8__dsp(const tess_mean_of_means_s8_t *op, const int8_t *in, int8_t *out)
{
    const int32_t channels = op->in.c, width = op->in.w, zero = op->in_zero_point * width;
    const int32_t rows_zero = op->row_zero_point * op->in.h;
    const scale_t row = scale_of(&op->row, op->row_zero_point), scale = scale_of(&op->out, op->zero_point);

    TESS_ASSERT(channels >= 4);
    for (int32_t c = 0; c < channels; c = tess_next_group(c, channels)) {
        int32_t sums[4] = {-rows_zero, -rows_zero, -rows_zero, -rows_zero};
        for (int32_t y = 0; y < op->in.h; ++y) {
            int32_t row_sums[4] = {-zero, -zero, -zero, -zero};
            tess_add_pixels4(row_sums, in + y * width * channels + c, width, channels);
#pragma GCC unroll 4
            for (int32_t i = 0; i < 4; ++i) {
                sums[i] += scaled(row_sums[i], &row);
            }
        }
#pragma GCC unroll 4
        for (int32_t i = 0; i < 4; ++i) {
            out[c + i] = scaled(sums[i], &scale);
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
        tess_fill_sums(sums, channels, -mean->row_zero_point * mean->in.h);
    }
    if (x_begin == 0) {
        tess_fill_sums(row_sums, channels, -mean->in_zero_point * mean->in.w);
    }
    tess_add_raw_pixels(row_sums, rows[0] + x_begin * channels, x_end - x_begin, channels);
    const scale_t row = scale_of(&mean->row, mean->row_zero_point);
    for (int32_t c = 0; x_end == mean->in.w && c < channels; ++c) {
        sums[c] += scaled(row_sums[c], &row);
    }
    const scale_t scale = scale_of(&mean->out, mean->zero_point);
    for (int32_t c = 0; tess_is_last_piece(&mean->in, y, x_end) && c < channels; ++c) {
        out[c] = scaled(sums[c], &scale);
    }
}
