#include <string.h>

#include "tessera/copy.h"

void tess_pad_8(const tess_pad_8_t *op, const uint8_t *in, uint8_t *out)
{
    memset(out, op->value, (size_t)op->out_bytes);
    tess_copy_8(&op->copy, in, out);
}
