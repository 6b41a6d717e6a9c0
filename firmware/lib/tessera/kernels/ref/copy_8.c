#include <string.h>

#include "tessera/copy.h"
#include "tessera/status.h"
#include "tessera/walk.h"

void tess_copy_8(const tess_copy_8_t *op, const uint8_t *in, uint8_t *out)
{
    const int32_t outer = op->rank - 1, count = op->dims[outer];
    const int32_t in_step = op->in_strides[outer], out_step = op->out_strides[outer];
    int32_t index[TESS_MAX_DIMS] = {0};

    TESS_ASSERT(op->rank >= 1 && op->rank <= TESS_MAX_DIMS);
    do {
        const uint8_t *from = in + op->in_start + tess_offset(outer, op->in_strides, index);
        uint8_t *to = out + op->out_start + tess_offset(outer, op->out_strides, index);
        if (in_step == 1 && out_step == 1) {
            memcpy(to, from, (size_t)count);
            continue;
        }
        for (int32_t i = 0; i < count; ++i) {
            to[i * out_step] = from[i * in_step];
        }
    } while (tess_next_index(outer, op->dims, index));
}
