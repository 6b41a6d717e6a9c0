#include "tessera/pool2d_dsp.h"

#include "channel_groups.h"
#include "instructions.h"
#include "tessera/status.h"
#include "tessera/window.h"

#define EACH_BYTE 0x01010101u

/* All channels of the window whose first column is x. */
static void pool_pixel(const tess_pool2d_s8_t *op, const int8_t *const *rows, int32_t x, int8_t *out)
{
    const tess_span_t taps = tess_taps_inside(x, op->kernel_w, op->in.w);
    const int32_t channels = op->in.c, columns = taps.end - taps.begin;
    const int32_t first = (x + taps.begin) * channels;
    const uint32_t least = (uint8_t)op->min * EACH_BYTE, most = (uint8_t)op->max * EACH_BYTE;

    for (int32_t c = 0; c < channels; c = tess_next_group(c, channels)) {
        uint32_t max = least;
        for (int32_t ky = 0; ky < op->kernel_h; ++ky) {
            if (rows[ky] == NULL) {
                continue;
            }
            const int8_t *in = rows[ky] + first + c;
            for (int32_t kx = 0; kx < columns; ++kx, in += channels) {
                max = tess_max8(max, tess_load_word(in));
            }
        }
        tess_store_word(out + c, tess_min8(max, most));
    }
}

static void pool_row(const tess_pool2d_s8_t *op, const int8_t *const *rows, int32_t x_begin, int32_t x_end, int8_t *out)
{
    TESS_ASSERT(op->in.c >= 4 && x_begin >= 0 && x_begin <= x_end && x_end <= op->out.w);
    for (int32_t x = x_begin; x < x_end; ++x, out += op->in.c) {
        pool_pixel(op, rows, x * op->stride_w - op->pad_left, out);
    }
}

void tess_max_pool2d_s8__dsp(const tess_pool2d_s8_t *op, const int8_t *in, int8_t *out)
{
    const int8_t *rows[TESS_MAX_KERNEL_H];

    for (int32_t y = 0; y < op->out.h; ++y, out += op->out.w * op->out.c) {
        tess_window_rows(in, &op->in, y * op->stride_h - op->pad_top, op->kernel_h, rows);
        pool_row(op, rows, 0, op->out.w, out);
    }
}

void tess_max_pool2d_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                  int8_t *out, void *scratch)
{
    (void)y, (void)scratch;
    pool_row(op, rows, x_begin, x_end, out);
}
