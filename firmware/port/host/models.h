/** The models that are linked into this host runner; the list is generated. */
#ifndef TESSERA_HOST_MODELS_H
#define TESSERA_HOST_MODELS_H

#include <stdint.h>

#include "tessera/model.h"

extern const tess_model_t *const tess_host_models[];
extern const uint32_t tess_host_model_count;

#endif
