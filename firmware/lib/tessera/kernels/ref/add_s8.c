#include "tessera/elementwise.h"

#include "tessera/status.h"
#include "tessera/tess_math.h"
#include "tessera/walk.h"

/* q - zero_point at the common scale. */
static int32_t to_common_scale(int32_t centred, int32_t left_shift, const tess_multiplier_t *m)
{
    return tess_rescale(tess_shift_left(centred, left_shift), m->multiplier, m->shift);
}

/* sign is 1 or -1; b is rounded before it is negated. */
static inline void add(const tess_add_s8_t *op, int32_t sign, const int8_t *a, const int8_t *b, int8_t *out)
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
            const int32_t sum = to_common_scale(*pa - op->a_zero_point, op->left_shift, &op->a) +
                                sign * to_common_scale(*pb - op->b_zero_point, op->left_shift, &op->b);
            const int32_t value = op->zero_point + tess_rescale(sum, op->out.multiplier, op->out.shift);
            *out++ = tess_clamp_s8(value, op->min, op->max);
        }
    } while (tess_next_index(outer, s->dims, index));
}

void tess_add_s8(const tess_add_s8_t *op, const int8_t *a, const int8_t *b, int8_t *out)
{
    add(op, 1, a, b, out);
}

void tess_sub_s8(const tess_add_s8_t *op, const int8_t *a, const int8_t *b, int8_t *out)
{
    add(op, -1, a, b, out);
}
