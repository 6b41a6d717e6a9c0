/* A stand-in for a generated model: see negate.c. */
#ifndef TESS_MODEL_CONFIG_H
#define TESS_MODEL_CONFIG_H

#include "tessera/model.h"

#define TESS_MODEL negate_model
#define TESS_MODEL_ARENA_BYTES 24576

extern const tess_model_t negate_model;

#endif
