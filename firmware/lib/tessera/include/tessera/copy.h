/** Moves bytes: transpose, strided slice, split, concatenation, pack, pad. */
#ifndef TESSERA_COPY_H
#define TESSERA_COPY_H

#include "tessera/types.h"

/** A block of up to six dimensions, outermost first, and where its elements lie on either side. */
typedef struct {
    int32_t rank; /**< in [1, TESS_MAX_DIMS] */
    int32_t dims[TESS_MAX_DIMS];
    int32_t in_start, in_strides[TESS_MAX_DIMS]; /**< bytes; a stride may be negative */
    int32_t out_start, out_strides[TESS_MAX_DIMS];
} tess_copy_8_t;

/** in and out must not overlap. Bytes of out that are not in the block stay as they are. */
void tess_copy_8(const tess_copy_8_t *op, const uint8_t *in, uint8_t *out);

typedef struct {
    int32_t value;      /**< in [-128, 255]; its low byte fills */
    int32_t out_bytes;  /**< of the padded tensor */
    tess_copy_8_t copy; /**< of the input into it */
} tess_pad_8_t;

/** in and out must not overlap. */
void tess_pad_8(const tess_pad_8_t *op, const uint8_t *in, uint8_t *out);

#endif
