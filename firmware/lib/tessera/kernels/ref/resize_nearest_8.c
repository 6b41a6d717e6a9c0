#include <string.h>

#include "tessera/resize.h"
#include "tessera/status.h"

void tess_resize_nearest_row_8(const tess_resize_nearest_8_t *op, const int8_t *const *rows, int32_t x_begin,
                               int32_t x_end, int8_t *restrict out)
{
    const int32_t channels = op->in.c;

    TESS_ASSERT(x_begin >= 0 && x_begin <= x_end && x_end <= op->out.w);
    for (int32_t x = x_begin; x < x_end; ++x, out += channels) {
        memcpy(out, rows[0] + op->column[x] * channels, (size_t)channels);
    }
}

void tess_resize_nearest_8(const tess_resize_nearest_8_t *op, const int8_t *in, int8_t *out)
{
    for (int32_t y = 0; y < op->out.h; ++y, out += op->out.w * op->out.c) {
        const int8_t *const row = in + op->row[y] * op->in.w * op->in.c;
        tess_resize_nearest_row_8(op, &row, 0, op->out.w, out);
    }
}
