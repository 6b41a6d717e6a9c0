/* Marks for the profiler of a simulator (tools/tessera/profile): a plugin of QEMU sees which instructions run and which
 * addresses they access, but no registers. So a byte is read whose index says what runs from here on. Functions of this
 * file are never counted, and nothing of them is inlined elsewhere. */
#include "internal.h"

#if defined(TESS_SIMULATED)

/* Indices below are steps. */
enum {
    ENGINE = TESS_MODEL_STEP_COUNT, /* between two pieces: generated code and the stage engine */
    WHOLE,                          /* all of a run without a hook, as an application has it */
    OUTSIDE,                        /* the application's own */
    MARKS,
};

const uint8_t tess_marks[MARKS] = {0};

__attribute__((noipa)) static void tess_mark(uint32_t index)
{
    (void)*(const volatile uint8_t *)&tess_marks[index];
}

__attribute__((noipa)) static void tess_mark_piece(void *user, tess_event_t event, const tess_piece_t *piece)
{
    (void)user;
    tess_mark(event == TESS_PIECE_BEGIN ? piece->step : ENGINE);
}

/* `user`: the index that the run goes on with. */
__attribute__((noipa)) static int tess_mark_row(void *user, uint32_t input, int32_t y, int32_t x_begin, int32_t x_end,
                                                void *out)
{
    tess_mark(OUTSIDE);
    const int status = tess_pull_row(NULL, input, y, x_begin, x_end, out);
    tess_mark(*(const uint32_t *)user);
    return status;
}

__attribute__((noipa)) tess_status_t tess_mark_run(const tess_memory_t *memories, bool pieces)
{
    uint32_t between = pieces ? ENGINE : WHOLE;
    const tess_calls_t calls = {.hook = pieces ? tess_mark_piece : NULL, .input_row = tess_mark_row, .user = &between};
    tess_mark(between);
    const tess_status_t status = tess_run(&TESS_MODEL, memories, &calls);
    tess_mark(OUTSIDE);
    return status;
}

#endif
