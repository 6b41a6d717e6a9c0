/* A stand-in for a generated model: see mirror.c. */
#ifndef TESS_MODEL_CONFIG_H
#define TESS_MODEL_CONFIG_H

#include "tessera/model.h"

#define TESS_MODEL mirror_model
#define TESS_MODEL_STEP_COUNT 2
#define TESS_MODEL_ARENA_BYTES TESS_MODEL_MEMORY_0_BYTES
#define TESS_MODEL_MEMORY_COUNT 1
#define TESS_MODEL_MEMORY_0_BYTES 16384
#define TESS_MODEL_MEMORY_0_SECTION ".bss.arena"

extern const tess_model_t mirror_model;

#endif
