/** Sums of a map that is read piece by piece (spans.h). */
#ifndef TESSERA_SUMS_H
#define TESSERA_SUMS_H

#include <stdbool.h>

#include "tessera/status.h"
#include "tessera/types.h"

/** The sums [channels] that lie where the result will. */
static inline int32_t *tess_sums_at(int8_t *out)
{
    TESS_ASSERT((uintptr_t)out % sizeof(int32_t) == 0);
    return (int32_t *)(void *)out;
}

/** sums[c] += in[p][c] - zero over p < pixels. */
static inline void tess_add_pixels(int32_t *sums, const int8_t *in, int32_t pixels, int32_t channels, int32_t zero)
{
    for (int32_t p = 0; p < pixels; ++p, in += channels) {
        for (int32_t c = 0; c < channels; ++c) {
            sums[c] += in[c] - zero;
        }
    }
}

static inline bool tess_is_first_piece(int32_t y, int32_t x_begin)
{
    return y == 0 && x_begin == 0;
}

static inline bool tess_is_last_piece(const tess_shape_t *in, int32_t y, int32_t x_end)
{
    return y == in->h - 1 && x_end == in->w;
}

#endif
