/** Walks over the outer dimensions of strided blocks. */
#ifndef TESSERA_WALK_H
#define TESSERA_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "tessera/model.h" /* TESS_MAX_DIMS */

/** Advances a row-major index over dims[0 .. rank); false (and index all 0) after the last. */
static inline bool tess_next_index(int32_t rank, const int32_t *dims, int32_t index[TESS_MAX_DIMS])
{
    for (int32_t d = rank - 1; d >= 0; --d) {
        if (++index[d] < dims[d]) {
            return true;
        }
        index[d] = 0;
    }
    return false;
}

/** Elements from the start of a block to the element at index. */
static inline int32_t tess_offset(int32_t rank, const int32_t *strides, const int32_t index[TESS_MAX_DIMS])
{
    int32_t offset = 0;

    for (int32_t d = 0; d < rank; ++d) {
        offset += index[d] * strides[d];
    }
    return offset;
}

#endif
