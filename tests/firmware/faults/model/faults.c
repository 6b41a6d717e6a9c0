/* Two steps: nothing, then what input[0] names. */
#include "tess_model_config.h"

typedef enum {
    NOTHING,
    STACK_OVERFLOW,
    BUS_FAULT,
    ASSERTION,
    HANG,
    UNDEFINED,
    DIVIDE,
    SUPERVISOR_CALL,
    BIG_FRAME
} trouble_t;

static const tess_tensor_t input = {"trouble", TESS_INT8, TESS_RESIDENT, 1, {1, 1, 1, 1, 1, 1}, 1.0f, 0, 0, 1};
static const tess_tensor_t output = {"same", TESS_INT8, TESS_RESIDENT, 1, {1, 1, 1, 1, 1, 1}, 1.0f, 0, 0, 1};
static const tess_step_t steps[] = {{"quiet", "nothing", 0, 1, 0}, {"same", "trouble", 0, 1, 0}};

static volatile int32_t sink;

__attribute__((noinline)) static int32_t deeper(volatile int32_t *above, int32_t depth)
{
    volatile int32_t here[8] = {depth, *above};
    return depth == 0 ? here[1] : deeper(here, depth - 1) + here[0];
}

__attribute__((noinline)) static void big_frame(int32_t value)
{
    volatile int32_t frame[4096];
    frame[0] = value;
    sink = frame[0];
}

static void make_trouble(trouble_t trouble)
{
    switch (trouble) {
    case STACK_OVERFLOW:
        sink = deeper(&sink, 10000);
        break;
    case BUS_FAULT:
        sink = *(volatile int32_t *)(uintptr_t)0x90000000u;
        break;
    case ASSERTION:
        TESS_ASSERT(sink == 1);
        break;
    case HANG:
        while (sink == 0) {
        }
        break;
    case UNDEFINED:
        __asm volatile("udf #0");
        break;
    case DIVIDE:
        sink = 100 / sink;
        break;
    case SUPERVISOR_CALL:
        __asm volatile("svc #0");
        break;
    case BIG_FRAME:
        big_frame(3);
        break;
    case NOTHING:
        break;
    }
}

static tess_status_t run(const tess_memory_t *memories, const tess_calls_t *calls)
{
    const uint8_t *same = tess_at(memories, input.place);
    for (uint32_t step = 0; step < 2; step++) {
        const tess_piece_t piece = {.step = step, .y = -1, .data = same, .bytes = 1};
        if (calls->hook) {
            calls->hook(calls->user, TESS_PIECE_BEGIN, &piece);
        }
        if (step == 1) {
            make_trouble((trouble_t)same[0]);
        }
        if (calls->hook) {
            calls->hook(calls->user, TESS_PIECE_END, &piece);
        }
    }
    return TESS_OK;
}

static const uint32_t memory_bytes[] = {TESS_MODEL_MEMORY_0_BYTES};

const tess_model_t faults_model = {
    TESS_ABI, "faults", "ffeeddccbbaa9988", 1, memory_bytes, 1, 1, 2, &input, &output, steps, run,
};
