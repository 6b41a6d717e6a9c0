/** Interface between a generated model and the application. */
#ifndef TESSERA_MODEL_H
#define TESSERA_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "tessera/status.h"

/** Changes whenever a generated file and this library would no longer fit together. */
#define TESS_ABI 1
/** Alignment of the arena, in bytes. Buffers inside it are aligned to TESS_BUFFER_ALIGN. */
#define TESS_ARENA_ALIGN 16
#define TESS_BUFFER_ALIGN 4
/** Largest rank of a tensor. */
#define TESS_MAX_DIMS 6

typedef enum {
    TESS_INT8 = 0,
    TESS_UINT8 = 1,
    TESS_FLOAT32 = 2,
} tess_dtype_t;

/** A tensor at the edge of a model: real = scale * (q - zero_point); scale is 0 for TESS_FLOAT32. */
typedef struct {
    const char *name; /**< as in the source model */
    tess_dtype_t dtype;
    int32_t rank;
    int32_t dims[TESS_MAX_DIMS]; /**< NHWC; unused ones are 1 */
    float scale;
    int32_t zero_point;
    uint32_t offset; /**< bytes from the start of the arena */
    uint32_t bytes;
} tess_tensor_t;

/** One step of the schedule: one kernel call that completes one tensor. For profiles, checks and reports. */
typedef struct {
    const char *name;   /**< of the tensor that it completes, as in the source model */
    const char *kernel; /**< symbol of the kernel that runs it */
    uint32_t macs;
    uint32_t offset; /**< where the completed tensor lies in the arena when the step ends */
    uint32_t bytes;
} tess_step_t;

typedef enum { TESS_STEP_BEGIN, TESS_STEP_END } tess_event_t;

/** Called before and after each step, with its index. Must not write to the arena. */
typedef void (*tess_hook_t)(void *user, uint32_t step, tess_event_t event);

/** A generated model. All of it is const and lives in flash. */
typedef struct {
    uint32_t abi; /**< TESS_ABI of the generator */
    const char *name;
    const char *hash; /**< 16 hexadecimal digits: source model and plan */
    uint32_t arena_bytes;
    uint32_t input_count, output_count, step_count;
    const tess_tensor_t *inputs, *outputs;
    const tess_step_t *steps;
    void (*run)(uint8_t *arena, tess_hook_t hook, void *user);
} tess_model_t;

/**
 * Runs one inference in place in `arena`.
 *
 * Write input i at arena + model->inputs[i].offset before, read output i at arena + model->outputs[i].offset after.
 * Nothing else in the arena survives; inputs do not survive either. `hook` may be NULL.
 *
 * @return TESS_OK, TESS_ERR_ABI, or TESS_ERR_ARENA if arena_bytes is less than model->arena_bytes or arena is not
 *         aligned to TESS_ARENA_ALIGN.
 */
tess_status_t tess_run(const tess_model_t *model, void *arena, size_t arena_bytes, tess_hook_t hook, void *user);

#endif
