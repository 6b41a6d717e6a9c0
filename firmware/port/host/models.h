/** The models that are linked into this host runner; the list is generated. */
#ifndef TESSERA_HOST_MODELS_H
#define TESSERA_HOST_MODELS_H

#include <stdint.h>

#include "tessera/model.h"

/** Bytes that the model may touch. */
typedef struct {
    tess_place_t place;
    uint32_t bytes;
} tess_host_buffer_t;

typedef struct {
    const tess_model_t *model;
    const tess_host_buffer_t *buffers;
    uint32_t buffer_count;
} tess_host_model_t;

extern const tess_host_model_t tess_host_models[];
extern const uint32_t tess_host_model_count;

#endif
