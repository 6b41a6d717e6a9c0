/** The rows and columns that a sliding window sees. */
#ifndef TESSERA_WINDOW_H
#define TESSERA_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "tessera/status.h"
#include "tessera/tess_math.h"

/** Rows of the tallest window: whole-map functions keep a pointer to each on the stack. */
#define TESS_MAX_KERNEL_H 64

/** Half-open range. */
typedef struct {
    int32_t begin, end;
} tess_span_t;

/** Points rows[i] at input row first + i of in [in.h][in.w][in.c], for i < kernel_h; NULL for a row outside the map. */
static inline void tess_window_rows(const int8_t *in, const tess_shape_t *shape, int32_t first, int32_t kernel_h,
                                    const int8_t *rows[TESS_MAX_KERNEL_H])
{
    TESS_ASSERT(kernel_h > 0 && kernel_h <= TESS_MAX_KERNEL_H);
    for (int32_t i = 0; i < kernel_h; ++i) {
        const int32_t y = first + i;
        rows[i] = y >= 0 && y < shape->h ? in + y * shape->w * shape->c : NULL;
    }
}

/** The taps of a window of kernel_w columns from column x that lie inside a row of in_w. */
static inline tess_span_t tess_taps_inside(int32_t x, int32_t kernel_w, int32_t in_w)
{
    const tess_span_t taps = {tess_max(0, -x), tess_min(kernel_w, in_w - x)};

    return taps;
}

#endif
