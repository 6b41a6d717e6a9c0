#include "tessera/resize.h"
#include "tessera/status.h"

enum { ONE = 1 << 10, HALF_SQUARE = 1 << 19, SQUARE = 1 << 20 }; /* weights are Q10, their products Q20 */

/* One channel of a row at a column, Q10. */
static int32_t between(const int8_t *row, const tess_interpolation_t *column, int32_t channels, int32_t c)
{
    return row[column->low * channels + c] * (ONE - column->weight) + row[column->high * channels + c] * column->weight;
}

void tess_resize_bilinear_row_s8(const tess_resize_bilinear_s8_t *op, const int8_t *const *rows, int32_t y,
                                 int32_t x_begin, int32_t x_end, int8_t *restrict out)
{
    const int32_t weight = op->row[y].weight;

    TESS_ASSERT(x_begin >= 0 && x_begin <= x_end && x_end <= op->out.w);
    for (int32_t x = x_begin; x < x_end; ++x) {
        for (int32_t c = 0; c < op->in.c; ++c) {
            const int32_t low = between(rows[0], &op->column[x], op->in.c, c);
            const int32_t high = between(rows[1], &op->column[x], op->in.c, c);
            const int32_t sum = low * (ONE - weight) + high * weight;
            *out++ = (int8_t)((sum > 0 ? sum + HALF_SQUARE : sum - HALF_SQUARE) / SQUARE);
        }
    }
}

void tess_resize_bilinear_s8(const tess_resize_bilinear_s8_t *op, const int8_t *in, int8_t *out)
{
    const int32_t row_elements = op->in.w * op->in.c;

    for (int32_t y = 0; y < op->out.h; ++y, out += op->out.w * op->out.c) {
        const int8_t *const rows[2] = {in + op->row[y].low * row_elements, in + op->row[y].high * row_elements};
        tess_resize_bilinear_row_s8(op, rows, y, 0, op->out.w, out);
    }
}
