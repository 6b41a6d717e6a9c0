/* Turns an image of 8 x 200 x 3 bytes upside down. The rows are pulled from the last to the first, each in two parts of
   which the second overlaps the first; a row's second part comes before its first. The second step, a layer, adds a
   resident value to the whole map; it takes some 2^25 instructions for its time. */
#include <string.h>

#include "tess_model_config.h"

enum { H = 8, W = 200, C = 3, ROW = W * C, SIZE = H * ROW, TURNS = 700 };

#define BIAS TESS_PLACE(0, 0)
#define TURNED TESS_PLACE(0, 16)
#define OUT TESS_PLACE(0, 16 + SIZE)
#define PART TESS_PLACE(0, 16 + 2 * SIZE)

static const tess_tensor_t inputs[] = {
    {"image", TESS_INT8, TESS_REREAD, 4, {1, H, W, C, 1, 1}, 0.5f, 0, 0, SIZE},
    {"bias", TESS_INT8, TESS_RESIDENT, 1, {1, 1, 1, 1, 1, 1}, 0.5f, 0, BIAS, 1},
};
static const tess_tensor_t outputs[] = {
    {"sum", TESS_INT8, TESS_RESIDENT, 4, {1, H, W, C, 1, 1}, 0.5f, 0, OUT, SIZE},
};
static const tess_step_t steps[] = {{"turned", "turn", 0, SIZE, 0}, {"sum", "add", 0, SIZE, 0}};

static void tell(const tess_calls_t *calls, tess_event_t event, const tess_piece_t *piece)
{
    if (calls->hook) {
        calls->hook(calls->user, event, piece);
    }
}

static tess_status_t turn(const tess_memory_t *memories, const tess_calls_t *calls)
{
    static const int32_t parts[2][2] = {{90, W}, {0, 110}};
    uint8_t *part = tess_at(memories, PART);
    for (int32_t y = H - 1; y >= 0; y--) {
        for (int32_t i = 0; i < 2; i++) {
            const int32_t begin = parts[i][0], end = parts[i][1];
            if (calls->input_row == NULL || calls->input_row(calls->user, 0, y, begin, end, part) != 0) {
                return TESS_ERR_INPUT;
            }
            tess_piece_t piece = {.step = 0, .y = H - 1 - y, .x_begin = begin, .x_end = end};
            tell(calls, TESS_PIECE_BEGIN, &piece);
            uint8_t *out = tess_at(memories, TURNED) + (H - 1 - y) * ROW + begin * C;
            memcpy(out, part, (size_t)((end - begin) * C));
            piece.data = out;
            piece.bytes = (uint32_t)((end - begin) * C);
            tell(calls, TESS_PIECE_END, &piece);
        }
    }
    return TESS_OK;
}

static void add(const tess_memory_t *memories, const tess_calls_t *calls)
{
    volatile uint8_t *out = tess_at(memories, OUT);
    const uint8_t bias = *tess_at(memories, BIAS);
    tess_piece_t piece = {.step = 1, .y = -1};
    tell(calls, TESS_PIECE_BEGIN, &piece);
    for (int32_t turn = 0; turn < TURNS; turn++) {
        for (int32_t i = 0; i < SIZE; i++) {
            out[i] = (uint8_t)(tess_at(memories, TURNED)[i] + bias);
        }
    }
    piece.data = tess_at(memories, OUT);
    piece.bytes = SIZE;
    tell(calls, TESS_PIECE_END, &piece);
}

static tess_status_t run(const tess_memory_t *memories, const tess_calls_t *calls)
{
    const tess_status_t status = turn(memories, calls);
    if (status == TESS_OK) {
        add(memories, calls);
    }
    return status;
}

static const uint32_t memory_bytes[] = {TESS_MODEL_MEMORY_0_BYTES};

const tess_model_t mirror_model = {
    TESS_ABI, "mirror", "8899aabbccddeeff", 1, memory_bytes, 2, 1, 2, inputs, outputs, steps, run,
};
