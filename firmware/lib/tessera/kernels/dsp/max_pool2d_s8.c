#include "tessera/pool2d_dsp.h"

#include "instructions.h"
#include "tessera/status.h"
#include "tessera/window.h"

#define EACH_BYTE 0x01010101u

enum { BLOCK_WORDS = 4 };

/* Where the taps of a window lie: `columns` in each row that is not NULL, from byte `first` of it. */
typedef struct {
    const int8_t *const *rows;
    int32_t first, columns;
} window_t;

/* The next 4 * words channels from channel c on. */
static inline void pool_words(const tess_pool2d_s8_t *op, const window_t *window, int32_t c, int32_t words, int8_t *out)
{
    const int32_t channels = op->in.c;
    const uint32_t least = (uint8_t)op->min * EACH_BYTE, most = (uint8_t)op->max * EACH_BYTE;
    uint32_t max[BLOCK_WORDS] = {least, least, least, least};

    for (int32_t ky = 0; ky < op->kernel_h; ++ky) {
        if (window->rows[ky] == NULL) {
            continue;
        }
        const int8_t *in = window->rows[ky] + window->first + c;
        for (int32_t kx = 0; kx < window->columns; ++kx, in += channels) {
#pragma GCC unroll 4
            for (int32_t i = 0; i < words; ++i) {
                max[i] = tess_max8(max[i], tess_load_word(in + 4 * i));
            }
        }
    }
#pragma GCC unroll 4
    for (int32_t i = 0; i < words; ++i) {
        tess_store_word(out + c + 4 * i, tess_min8(max[i], most));
    }
}

/* All channels of the window whose first column is x. */
static void pool_pixel(const tess_pool2d_s8_t *op, const int8_t *const *rows, int32_t x, int8_t *out)
{
    const tess_span_t taps = tess_taps_inside(x, op->kernel_w, op->in.w);
    const int32_t channels = op->in.c;
    const window_t window = {rows, (x + taps.begin) * channels, taps.end - taps.begin};
    int32_t c = 0;

    for (; c + 4 * BLOCK_WORDS <= channels; c += 4 * BLOCK_WORDS) {
        pool_words(op, &window, c, BLOCK_WORDS, out);
    }
    while (c < channels) {
        const int32_t group = tess_min(c, channels - 4);
        pool_words(op, &window, group, 1, out);
        c = group + 4;
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
