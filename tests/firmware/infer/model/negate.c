/* Three steps over 4096 bytes: copy, negate, then the first ten bytes as a second output. Two inputs, two outputs, two
   memories. */
#include <string.h>

#include "tess_model_config.h"

enum { SIZE = 4096 };

#define IN TESS_PLACE(0, 0)
#define COPY TESS_PLACE(0, 4096)
#define OUT TESS_PLACE(0, 8192)
#define BIAS TESS_PLACE(1, 0)
#define HEAD TESS_PLACE(1, 16)

static const tess_tensor_t inputs[] = {
    {"image", TESS_INT8, TESS_RESIDENT, 4, {1, 32, 32, 4, 1, 1}, 0.5f, 0, IN, SIZE},
    {"bias", TESS_INT8, TESS_RESIDENT, 1, {16, 1, 1, 1, 1, 1}, 0.5f, 0, BIAS, 16},
};
static const tess_tensor_t outputs[] = {
    {"negated", TESS_INT8, TESS_RESIDENT, 4, {1, 32, 32, 4, 1, 1}, 0.5f, 0, OUT, SIZE},
    {"head", TESS_INT8, TESS_RESIDENT, 1, {10, 1, 1, 1, 1, 1}, 0.5f, 0, HEAD, 10},
};
static const tess_step_t steps[] = {
    {"copied", "copy", 0, SIZE, COPY},
    {"negated", "negate", SIZE, SIZE, OUT},
    {"head", "head", 0, 10, HEAD},
};

static tess_status_t run(const tess_memory_t *memories, const tess_calls_t *calls)
{
    for (uint32_t step = 0; step < 3; step++) {
        tess_piece_t piece = {.step = step, .y = -1};
        if (calls->hook) {
            calls->hook(calls->user, TESS_PIECE_BEGIN, &piece);
        }
        switch (step) {
        case 0:
            memcpy(tess_at(memories, COPY), tess_at(memories, IN), SIZE);
            break;
        case 1:
            for (int i = 0; i < SIZE; i++) {
                tess_at(memories, OUT)[i] = (uint8_t)(tess_at(memories, BIAS)[i % 16] - tess_at(memories, COPY)[i]);
            }
            break;
        default:
            memcpy(tess_at(memories, HEAD), tess_at(memories, OUT), 10);
            break;
        }
        piece.data = tess_at(memories, steps[step].at);
        piece.bytes = steps[step].bytes;
        if (calls->hook) {
            calls->hook(calls->user, TESS_PIECE_END, &piece);
        }
    }
    return TESS_OK;
}

static const uint32_t memory_bytes[] = {TESS_MODEL_MEMORY_0_BYTES, TESS_MODEL_MEMORY_1_BYTES};

const tess_model_t negate_model = {
    TESS_ABI, "negate", "00112233445566ff", 2, memory_bytes, 2, 2, 3, inputs, outputs, steps, run,
};
