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

static const tess_tensor_t input = {"trouble", TESS_INT8, 1, {1, 1, 1, 1, 1, 1}, 1.0f, 0, 0, 1};
static const tess_tensor_t output = {"same", TESS_INT8, 1, {1, 1, 1, 1, 1, 1}, 1.0f, 0, 0, 1};
static const tess_step_t steps[] = {{"quiet", "nothing", 0, 0, 1}, {"same", "trouble", 0, 0, 1}};

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

static void run(uint8_t *arena, tess_hook_t hook, void *user)
{
    for (uint32_t step = 0; step < 2; step++) {
        if (hook) {
            hook(user, step, TESS_STEP_BEGIN);
        }
        if (step == 1) {
            make_trouble((trouble_t)arena[0]);
        }
        if (hook) {
            hook(user, step, TESS_STEP_END);
        }
    }
}

const tess_model_t faults_model = {
    TESS_ABI, "faults", "ffeeddccbbaa9988", TESS_MODEL_ARENA_BYTES, 1, 1, 2, &input, &output, steps, run,
};
