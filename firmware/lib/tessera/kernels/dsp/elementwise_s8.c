#include "tessera/elementwise_dsp.h"

#include <string.h>

#include "tessera/spans.h"
#include "tessera/status.h"
#include "tessera/tess_math.h"
#include "tessera/walk.h"

enum { REPEATED = 32 }; /* how often a byte that repeats is written out for a run */

/* Bytes cut to [min, max], in place. */
static void clamp_run(int8_t *bytes, int32_t count, int32_t min, int32_t max)
{
    if (min == INT8_MIN && max == INT8_MAX) {
        return;
    }
    for (int32_t i = 0; i < count; ++i) {
        bytes[i] = (int8_t)(bytes[i] < min ? min : bytes[i] > max ? max : bytes[i]);
    }
}

/* One operand's byte for all elements: its step is 0. */
static void run_repeated(const tess_elementwise_s8_dsp_t *op, const int8_t *a, int32_t a_step, const int8_t *b,
                         int32_t b_step, int8_t *out, int32_t count)
{
    int8_t same[REPEATED];

    memset(same, a_step == 0 ? *a : *b, sizeof same);
    for (int32_t i = 0; i < count; i += REPEATED) {
        op->run(op->constants, a_step == 0 ? same : a + i, b_step == 0 ? same : b + i, out + i,
                tess_min(REPEATED, count - i));
    }
}

/* Elements of one line of both operands, which advance by 1 or repeat. */
static void run(const tess_elementwise_s8_dsp_t *op, const int8_t *a, int32_t a_step, const int8_t *b, int32_t b_step,
                int8_t *out, int32_t count)
{
    if (a_step == 0 || b_step == 0) {
        run_repeated(op, a, a_step, b, b_step, out, count);
    } else {
        op->run(op->constants, a, b, out, count);
    }
    clamp_run(out, count, op->min, op->max);
}

void tess_elementwise_s8__dsp(const tess_elementwise_s8_dsp_t *op, const int8_t *a, const int8_t *b, int8_t *out)
{
    const tess_broadcast_t *s = &op->shape;
    const int32_t outer = s->rank - 1, count = s->dims[outer];
    int32_t index[TESS_MAX_DIMS] = {0};

    TESS_ASSERT(s->rank >= 1 && s->rank <= TESS_MAX_DIMS);
    do {
        const int8_t *pa = a + tess_offset(outer, s->a_strides, index);
        const int8_t *pb = b + tess_offset(outer, s->b_strides, index);
        run(op, pa, s->a_strides[outer], pb, s->b_strides[outer], out, count);
        out += count;
    } while (tess_next_index(outer, s->dims, index));
}

void tess_elementwise_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                   int8_t *out, void *scratch)
{
    const tess_elementwise_s8_dsp_t *elementwise = op;
    const tess_broadcast_t *pixel = &elementwise->shape;
    const int32_t channels = pixel->dims[1], a_step = pixel->a_strides[0], b_step = pixel->b_strides[0];
    const int8_t *a = rows[0] + x_begin * a_step, *b = rows[1] + x_begin * b_step;

    (void)y, (void)scratch;
    TESS_ASSERT(pixel->rank == 2);
    if (a_step == channels && b_step == channels) { /* rows of two maps, walked as one */
        run(elementwise, a, 1, b, 1, out, (x_end - x_begin) * channels);
        return;
    }
    for (int32_t x = x_begin; x < x_end; ++x, a += a_step, b += b_step, out += channels) {
        run(elementwise, a, pixel->a_strides[1], b, pixel->b_strides[1], out, channels);
    }
}
