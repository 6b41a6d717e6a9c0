/** What generated files are written with. */
#ifndef TESSERA_GENERATED_H
#define TESSERA_GENERATED_H

#include "tessera/tessera.h"

/** A tensor at a byte of the arena, inside `static void run(uint8_t *arena, tess_hook_t hook, void *user)`. */
#define TESS_S8(at) ((int8_t *)(arena + (at)))
#define TESS_U8(at) (arena + (at))
#define TESS_F32(at) ((float *)(void *)(arena + (at)))

/** The calls of step i between its two events. */
#define TESS_STEP(i, calls)                                                                                            \
    do {                                                                                                               \
        if (hook != NULL) {                                                                                            \
            hook(user, (i), TESS_STEP_BEGIN);                                                                          \
        }                                                                                                              \
        calls;                                                                                                         \
        if (hook != NULL) {                                                                                            \
            hook(user, (i), TESS_STEP_END);                                                                            \
        }                                                                                                              \
    } while (0)

/** A buffer is aligned and lies inside the arena. */
#define TESS_CHECK_BUFFER(at, bytes, arena_bytes)                                                                      \
    _Static_assert((at) % TESS_BUFFER_ALIGN == 0 && (at) + (bytes) <= (arena_bytes), #at " breaks the memory plan")

/** A struct has the fields that the generator knows; its bytes with pointers of 4 and of 8 bytes. */
#define TESS_CHECK_SIZE(type, bytes_32, bytes_64)                                                                      \
    _Static_assert(sizeof(type) == (sizeof(void *) == 8 ? (bytes_64) : (bytes_32)), #type " changed: generate again")

#endif
