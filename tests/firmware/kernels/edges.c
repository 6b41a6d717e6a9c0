/** What no model reaches: floats that no int8 can hold, rows of softmax where the reference aborts, refusals of run. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tessera/tessera.h"

#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            exit(EXIT_FAILURE);                                                                                        \
        }                                                                                                              \
    } while (0)

static void check_quantize(void)
{
    const tess_quantize_t op = {0.5f, 3};
    const float in[] = {INFINITY, -INFINITY, NAN, 1e38f, -1e38f, 0.0f, 0.25f, -0.25f, 0.249999985f, 62.0f, -65.5f};
    const int8_t expected[] = {127, -128, -128, 127, -128, 3, 4, 2, 3, 127, -128};
    int8_t out[sizeof expected];

    tess_quantize_f32_s8(&op, in, out, (int32_t)sizeof expected);
    for (size_t i = 0; i < sizeof expected; ++i) {
        EXPECT(out[i] == expected[i]);
    }
}

static void check_softmax_of_any_length(void)
{
    static int8_t in[TESS_SOFTMAX_MAX_LENGTH], out[TESS_SOFTMAX_MAX_LENGTH];
    static int32_t exp_table[256];

    for (int32_t i = 0; i < 256; ++i) {
        exp_table[i] = INT32_MAX; /* the largest possible sum */
    }
    for (int32_t length = 1; length <= TESS_SOFTMAX_MAX_LENGTH; ++length) {
        const tess_softmax_s8_t op = {length, exp_table};
        tess_softmax_s8(&op, in, out, 1);
        const int32_t value = out[0] + 128, ideal = 256 / length;
        EXPECT(length >= 512 ? value == 0 : abs(value - (ideal < 255 ? ideal : 255)) <= 1);
    }
}

/* Half away from zero on both sides: acc / 2 for small acc. */
static void check_fully_connected_ties(void)
{
    static const int8_t weights[] = {1}, in[] = {-3, -2, -1, 0, 1, 2, 3}, expected[] = {-2, -1, -1, 0, 1, 1, 2};
    static const int64_t multiplier[] = {1};
    static const int8_t shift[] = {1};
    const tess_fully_connected_s8_t op = {
        .in_c = 1, .out_c = 1, .weights = weights, .multiplier = multiplier, .shift = shift, .min = -128, .max = 127};
    int8_t out[sizeof in];

    tess_fully_connected_s8(&op, in, out, (int32_t)sizeof in);
    for (size_t i = 0; i < sizeof in; ++i) {
        EXPECT(out[i] == expected[i]);
    }
}

static tess_status_t ask_for_a_row(const tess_memory_t *memories, const tess_calls_t *calls)
{
    (void)memories;
    return calls->input_row == NULL ? TESS_ERR_INPUT : TESS_OK;
}

static int no_row(void *user, uint32_t input, int32_t y, int32_t x_begin, int32_t x_end, void *out)
{
    (void)user, (void)input, (void)y, (void)x_begin, (void)x_end, (void)out;
    return 1;
}

static void check_run(void)
{
    static _Alignas(TESS_ARENA_ALIGN) uint8_t first[32], second[16];
    static const uint32_t bytes[] = {32, 16};
    tess_memory_t memories[] = {{first, 32}, {second, 16}};
    tess_model_t model = {.abi = TESS_ABI, .memory_count = 2, .memory_bytes = bytes, .run = ask_for_a_row};

    EXPECT(tess_run(&model, memories, &(tess_calls_t){.input_row = no_row}) == TESS_OK);
    EXPECT(tess_run(&model, memories, NULL) == TESS_ERR_INPUT);
    EXPECT(tess_run(&model, NULL, NULL) == TESS_ERR_ARENA);
    memories[1].bytes = 15;
    EXPECT(tess_run(&model, memories, NULL) == TESS_ERR_ARENA);
    memories[1] = (tess_memory_t){NULL, 16};
    EXPECT(tess_run(&model, memories, NULL) == TESS_ERR_ARENA);
    memories[1] = (tess_memory_t){second, 16};
    memories[0].base = first + 4;
    EXPECT(tess_run(&model, memories, NULL) == TESS_ERR_ARENA);
    model.abi = TESS_ABI + 1;
    EXPECT(tess_run(&model, memories, NULL) == TESS_ERR_ABI);
}

/* Pulls two rows of three pixels; answers -1 at the second. */
static int count_rows(void *user, uint32_t input, int32_t y, int32_t x_begin, int32_t x_end, void *out)
{
    int *rows = user;

    EXPECT(input == 5 && y == *rows && x_begin == 0 && x_end == 3);
    memset(out, y, 3);
    return ++*rows > 1 ? -1 : 0;
}

/* A stage ends where a row cannot be had. */
static void check_pull(void)
{
    static uint8_t memory[16];
    static const tess_map_t maps[] = {{.shape = {.h = 4, .w = 3, .c = 1},
                                       .rows = {.period = 1, .step = 1, .size = 1},
                                       .cols = {.period = 1, .step = 3, .size = 3},
                                       .lines = 4}};
    static const tess_action_t actions[] = {{TESS_ACTION_PULL, 0, 5}};
    const tess_stage_t stage = {.row_ticks = 4, .col_ticks = 1, .action_count = 1, .actions = actions, .maps = maps};
    const tess_memory_t memories[] = {{memory, sizeof memory}};
    int rows = 0;

    EXPECT(tess_stage_run(&stage, memories, &(tess_calls_t){.hook = NULL}) == TESS_ERR_INPUT);
    EXPECT(tess_stage_run(&stage, memories, &(tess_calls_t){NULL, count_rows, &rows}) == TESS_ERR_INPUT);
    EXPECT(rows == 2 && memory[5] == 1 && memory[6] == 0);
}

int main(void)
{
    check_quantize();
    check_fully_connected_ties();
    check_softmax_of_any_length();
    check_run();
    check_pull();
    return EXIT_SUCCESS;
}
