/** Interface between a generated model and the application. */
#ifndef TESSERA_MODEL_H
#define TESSERA_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "tessera/status.h"

/** Changes whenever a generated file and this library would no longer fit together. */
#define TESS_ABI 3
/** Alignment of each memory, in bytes. Buffers inside are aligned to TESS_BUFFER_ALIGN. */
#define TESS_ARENA_ALIGN 16
#define TESS_BUFFER_ALIGN 4
/** Largest rank of a tensor. */
#define TESS_MAX_DIMS 6

/** A place in the model's memories: which one in the upper 4 bits, a byte of it in the lower 28. */
typedef uint32_t tess_place_t;
#define TESS_PLACE(memory, offset) (((uint32_t)(memory) << 28) | (offset))

/** A block of RAM that the application gives to the model, aligned to TESS_ARENA_ALIGN. */
typedef struct {
    void *base;
    size_t bytes;
} tess_memory_t;

static inline uint8_t *tess_at(const tess_memory_t *memories, tess_place_t place)
{
    return (uint8_t *)memories[place >> 28].base + (place & 0x0FFFFFFFu);
}

typedef enum {
    TESS_INT8 = 0,
    TESS_UINT8 = 1,
    TESS_FLOAT32 = 2,
} tess_dtype_t;

/** How the model takes an input. */
typedef enum {
    TESS_RESIDENT = 0, /**< the application writes it to its place before the run */
    TESS_STREAMED = 1, /**< whole rows, each once and in order, from tess_calls_t.input_row */
    TESS_REREAD = 2,   /**< parts of rows, in any order and possibly again, from tess_calls_t.input_row */
} tess_input_mode_t;

/** A tensor at the edge of a model: real = scale * (q - zero_point); scale is 0 for TESS_FLOAT32. */
typedef struct {
    const char *name; /**< as in the source model */
    tess_dtype_t dtype;
    tess_input_mode_t mode; /**< of an input; outputs are resident */
    int32_t rank;
    int32_t dims[TESS_MAX_DIMS]; /**< NHWC; unused ones are 1 */
    float scale;
    int32_t zero_point;
    tess_place_t place; /**< of a resident one */
    uint32_t bytes;
} tess_tensor_t;

/** One step of the schedule: an operator that computes one tensor, at once or piece by piece. For profiles, checks and
 * reports. */
typedef struct {
    const char *name;   /**< of the tensor, as in the source model */
    const char *kernel; /**< symbol of the kernel that computes it */
    uint32_t macs;      /**< executed, those of pieces that are computed again counted again */
    uint32_t bytes;     /**< of the whole tensor */
    tess_place_t at;    /**< of the tensor of a layer */
} tess_step_t;

typedef enum { TESS_PIECE_BEGIN, TESS_PIECE_END } tess_event_t;

/** What a step computes between its two events: columns [x_begin, x_end) of row y, or a whole tensor (y is -1). */
typedef struct {
    uint32_t step;
    int32_t y, x_begin, x_end;
    const void *data; /**< at TESS_PIECE_END: the bytes computed; NULL for a reduction that goes on */
    uint32_t bytes;
} tess_piece_t;

/** Called before and after each piece. Must not write to the model's memories. */
typedef void (*tess_hook_t)(void *user, tess_event_t event, const tess_piece_t *piece);

/**
 * Writes columns [x_begin, x_end) of row y of input `input` to out, as the model's input has them (channels innermost).
 *
 * A streamed input is asked for whole rows, each once, from the top; a reread one for any span at any time.
 * @return 0, or any other value to end the run with TESS_ERR_INPUT
 */
typedef int (*tess_input_row_t)(void *user, uint32_t input, int32_t y, int32_t x_begin, int32_t x_end, void *out);

/** What a run calls back. Any function may be NULL; input_row only where no input is pulled. */
typedef struct {
    tess_hook_t hook;
    tess_input_row_t input_row;
    void *user;
} tess_calls_t;

/** A generated model. All of it is const and lives in flash. */
typedef struct {
    uint32_t abi; /**< TESS_ABI of the generator */
    const char *name;
    const char *hash; /**< 16 hexadecimal digits: source model and plan */
    uint32_t memory_count;
    const uint32_t *memory_bytes; /**< [memory_count] */
    uint32_t input_count, output_count, step_count;
    const tess_tensor_t *inputs, *outputs;
    const tess_step_t *steps;
    tess_status_t (*run)(const tess_memory_t *memories, const tess_calls_t *calls); /**< calls is not NULL */
} tess_model_t;

/**
 * Runs one inference in place in `memories` ([model->memory_count]).
 *
 * Write resident input i at tess_at(memories, model->inputs[i].place) before, read output i at its place after. Nothing
 * else in the memories survives; inputs do not survive either. `calls` may be NULL where no input is pulled.
 *
 * @return TESS_OK, TESS_ERR_ABI, TESS_ERR_ARENA if a memory is missing, smaller than model->memory_bytes says or not
 *         aligned to TESS_ARENA_ALIGN, TESS_ERR_INPUT if an input is pulled and input_row is missing or fails.
 */
tess_status_t tess_run(const tess_model_t *model, const tess_memory_t *memories, const tess_calls_t *calls);

#endif
