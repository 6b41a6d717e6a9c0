/** What generated files are written with. */
#ifndef TESSERA_GENERATED_H
#define TESSERA_GENERATED_H

#include "tessera/tessera.h"

/** A tensor at its place, inside `static tess_status_t run(const tess_memory_t *memories, const tess_calls_t *calls)`.
 */
#define TESS_S8(at) ((int8_t *)tess_at(memories, (at)))
#define TESS_U8(at) tess_at(memories, (at))
#define TESS_SCRATCH(at) ((void *)tess_at(memories, (at)))
#define TESS_F32(at) ((float *)(void *)tess_at(memories, (at)))

/** Tells the hook, if there is one, that a step begins, or that it has made its tensor. */
void tess_step_begins(const tess_calls_t *calls, uint32_t step);
void tess_step_ends(const tess_calls_t *calls, const tess_memory_t *memories, const tess_step_t *steps, uint32_t step);
/** Both: `step` ends, the one after it begins. */
void tess_step_follows(const tess_calls_t *calls, const tess_memory_t *memories, const tess_step_t *steps,
                       uint32_t step);

/** Around the kernel calls of layers in a row, each of which completes the tensor of its step. */
#define TESS_LAYERS_BEGIN(step) tess_step_begins(calls, (step))
#define TESS_NEXT_LAYER(step) tess_step_follows(calls, memories, steps, (step))
#define TESS_LAYERS_END(step) tess_step_ends(calls, memories, steps, (step))

/** A streamed stage; a failure ends the run. */
#define TESS_STAGE(stage)                                                                                              \
    do {                                                                                                               \
        const tess_status_t status_ = tess_stage_run(&(stage), memories, calls);                                       \
        if (status_ != TESS_OK) {                                                                                      \
            return status_;                                                                                            \
        }                                                                                                              \
    } while (0)

/** A buffer is aligned and lies inside its memory. */
#define TESS_CHECK_BUFFER(at, size, memory, memory_bytes)                                                              \
    _Static_assert((uint32_t)(at) >> 28 == (memory) && (at) % TESS_BUFFER_ALIGN == 0 &&                                \
                       ((at) & 0x0FFFFFFF) + (size) <= (memory_bytes),                                                 \
                   #at " breaks the memory plan")

/** A struct has the fields that the generator knows; its bytes with pointers of 4 and of 8 bytes. */
#define TESS_CHECK_SIZE(type, bytes_32, bytes_64)                                                                      \
    _Static_assert(sizeof(type) == (sizeof(void *) == 8 ? (bytes_64) : (bytes_32)), #type " changed: generate again")

#endif
