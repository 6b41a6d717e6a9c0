#include "tessera/mean.h"

#include <string.h>

#include "tessera/spans.h"
#include "tessera/status.h"
#include "tessera/sums.h"
#include "tessera/tess_math.h"
#include "tessera/walk.h"

static int32_t sum_of_reduced(const tess_mean_s8_t *op, const int8_t *in)
{
    const int32_t outer = op->reduced_rank - 1, count = op->reduced_dims[outer], step = op->reduced_strides[outer];
    int32_t index[TESS_MAX_DIMS] = {0};
    int32_t sum = 0;

    do {
        const int8_t *p = in + tess_offset(outer, op->reduced_strides, index);
        for (int32_t i = 0; i < count; ++i, p += step) {
            sum += *p - op->in_zero_point;
        }
    } while (tess_next_index(outer, op->reduced_dims, index));
    return sum;
}

void tess_mean_s8(const tess_mean_s8_t *op, const int8_t *in, int8_t *out)
{
    int32_t index[TESS_MAX_DIMS] = {0};

    TESS_ASSERT(op->kept_rank >= 1 && op->kept_rank <= TESS_MAX_DIMS);
    TESS_ASSERT(op->reduced_rank >= 1 && op->reduced_rank <= TESS_MAX_DIMS);
    do {
        const int32_t sum = sum_of_reduced(op, in + tess_offset(op->kept_rank, op->kept_strides, index));
        const int32_t value = op->zero_point + tess_rescale(sum, op->out.multiplier, op->out.shift);
        *out++ = tess_clamp_s8(value, INT8_MIN, INT8_MAX);
    } while (tess_next_index(op->kept_rank, op->kept_dims, index));
}

void tess_mean_map_span_s8(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                           int8_t *out, void *scratch)
{
    const tess_mean_map_s8_t *mean = op;
    const int32_t channels = mean->in.c;
    int32_t *sums = tess_sums_at(out);

    (void)scratch;
    if (tess_is_first_piece(y, x_begin)) {
        memset(sums, 0, (size_t)channels * sizeof *sums);
    }
    tess_add_pixels(sums, rows[0] + x_begin * channels, x_end - x_begin, channels, mean->in_zero_point);
    for (int32_t c = 0; tess_is_last_piece(&mean->in, y, x_end) && c < channels; ++c) {
        const int32_t value = mean->zero_point + tess_rescale(sums[c], mean->out.multiplier, mean->out.shift);
        out[c] = tess_clamp_s8(value, INT8_MIN, INT8_MAX);
    }
}
