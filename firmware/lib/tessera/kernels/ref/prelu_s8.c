#include "tessera/elementwise.h"

#include "tessera/status.h"
#include "tessera/tess_math.h"
#include "tessera/walk.h"

static int32_t prelu(const tess_prelu_s8_t *op, int32_t x, int32_t alpha)
{
    return x >= 0 ? tess_rescale(x, op->positive.multiplier, op->positive.shift)
                  : tess_rescale(x * alpha, op->negative.multiplier, op->negative.shift);
}

void tess_prelu_s8(const tess_prelu_s8_t *op, const int8_t *x, const int8_t *alpha, int8_t *out)
{
    const tess_broadcast_t *s = &op->shape;
    const int32_t outer = s->rank - 1, count = s->dims[outer];
    const int32_t x_step = s->a_strides[outer], alpha_step = s->b_strides[outer];
    int32_t index[TESS_MAX_DIMS] = {0};

    TESS_ASSERT(s->rank >= 1 && s->rank <= TESS_MAX_DIMS);
    do {
        const int8_t *px = x + tess_offset(outer, s->a_strides, index);
        const int8_t *pa = alpha + tess_offset(outer, s->b_strides, index);
        for (int32_t i = 0; i < count; ++i, px += x_step, pa += alpha_step) {
            const int32_t value = op->zero_point + prelu(op, *px - op->x_zero_point, *pa - op->alpha_zero_point);
            *out++ = tess_clamp_s8(value, INT8_MIN, INT8_MAX);
        }
    } while (tess_next_index(outer, s->dims, index));
}
