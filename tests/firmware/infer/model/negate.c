/* Three steps over 4096 bytes: copy, negate, then the first ten bytes as a second output. Two inputs, two outputs. */
#include <string.h>

#include "tess_model_config.h"

enum { SIZE = 4096, IN = 0, BIAS = 4096, COPY = 8192, OUT = 12288, HEAD = 16384 };

static const tess_tensor_t inputs[] = {
    {"image", TESS_INT8, 4, {1, 32, 32, 4, 1, 1}, 0.5f, 0, IN, SIZE},
    {"bias", TESS_INT8, 1, {16, 1, 1, 1, 1, 1}, 0.5f, 0, BIAS, 16},
};
static const tess_tensor_t outputs[] = {
    {"negated", TESS_INT8, 4, {1, 32, 32, 4, 1, 1}, 0.5f, 0, OUT, SIZE},
    {"head", TESS_INT8, 1, {10, 1, 1, 1, 1, 1}, 0.5f, 0, HEAD, 10},
};
static const tess_step_t steps[] = {
    {"copied", "copy", 0, COPY, SIZE},
    {"negated", "negate", SIZE, OUT, SIZE},
    {"head", "head", 0, HEAD, 10},
};

static void run(uint8_t *arena, tess_hook_t hook, void *user)
{
    for (uint32_t step = 0; step < 3; step++) {
        if (hook) {
            hook(user, step, TESS_STEP_BEGIN);
        }
        switch (step) {
        case 0:
            memcpy(arena + COPY, arena + IN, SIZE);
            break;
        case 1:
            for (int i = 0; i < SIZE; i++) {
                arena[OUT + i] = (uint8_t)(arena[BIAS + i % 16] - arena[COPY + i]);
            }
            break;
        default:
            memcpy(arena + HEAD, arena + OUT, 10);
            break;
        }
        if (hook) {
            hook(user, step, TESS_STEP_END);
        }
    }
}

const tess_model_t negate_model = {
    TESS_ABI, "negate", "00112233445566ff", TESS_MODEL_ARENA_BYTES, 2, 2, 3, inputs, outputs, steps, run,
};
