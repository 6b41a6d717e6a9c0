/* A stand-in for a generated model: see negate.c. */
#ifndef TESS_MODEL_CONFIG_H
#define TESS_MODEL_CONFIG_H

#include "tessera/model.h"

#define TESS_MODEL negate_model
#define TESS_MODEL_STEP_COUNT 3
#define TESS_MODEL_ARENA_BYTES (TESS_MODEL_MEMORY_0_BYTES + TESS_MODEL_MEMORY_1_BYTES)
#define TESS_MODEL_MEMORY_COUNT 2
#define TESS_MODEL_MEMORY_0_BYTES 24576
#define TESS_MODEL_MEMORY_0_SECTION ".bss.arena"
#define TESS_MODEL_MEMORY_1_BYTES 64
#define TESS_MODEL_MEMORY_1_SECTION ".bss.arena.1"

extern const tess_model_t negate_model;

#endif
