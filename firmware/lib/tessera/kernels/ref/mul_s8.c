#include "tessera/elementwise.h"

#include "tessera/status.h"
#include "tessera/tess_math.h"
#include "tessera/walk.h"

void tess_mul_s8(const tess_mul_s8_t *op, const int8_t *a, const int8_t *b, int8_t *out)
{
    const tess_broadcast_t *s = &op->shape;
    const int32_t outer = s->rank - 1, count = s->dims[outer];
    const int32_t a_step = s->a_strides[outer], b_step = s->b_strides[outer];
    int32_t index[TESS_MAX_DIMS] = {0};

    TESS_ASSERT(s->rank >= 1 && s->rank <= TESS_MAX_DIMS);
    do {
        const int8_t *pa = a + tess_offset(outer, s->a_strides, index);
        const int8_t *pb = b + tess_offset(outer, s->b_strides, index);
        for (int32_t i = 0; i < count; ++i, pa += a_step, pb += b_step) {
            const int32_t product = (*pa - op->a_zero_point) * (*pb - op->b_zero_point);
            const int32_t value = op->zero_point + tess_rescale(product, op->out.multiplier, op->out.shift);
            *out++ = tess_clamp_s8(value, op->min, op->max);
        }
    } while (tess_next_index(outer, s->dims, index));
}
