/* A model that goes wrong as its input says: see faults.c. */
#ifndef TESS_MODEL_CONFIG_H
#define TESS_MODEL_CONFIG_H

#include "tessera/model.h"

#define TESS_MODEL faults_model
#define TESS_MODEL_ARENA_BYTES 256

extern const tess_model_t faults_model;

#endif
