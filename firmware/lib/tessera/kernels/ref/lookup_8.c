#include "tessera/lookup.h"

void tess_lookup_8(const uint8_t table[256], const uint8_t *in, uint8_t *out, int32_t count)
{
    for (int32_t i = 0; i < count; ++i) {
        out[i] = table[in[i]];
    }
}
