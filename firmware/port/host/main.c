/**
 * Runs generated models on the host, for tests.
 *
 * stdin holds any number of requests: the index of a model (uint32), then the bytes of all its inputs. Each is answered
 * on stdout by one CRC-32 a step (uint32, zlib's polynomial) and the bytes of all outputs. Numbers are little-endian.
 *
 * Bytes of the arena that belong to no tensor are guards: under AddressSanitizer a touch ends the program, and without
 * it a changed one is found after the run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif

enum { FILL = 0xA5 };

/* What the hook of one run needs. */
typedef struct {
    const tess_model_t *model;
    const uint8_t *arena;
} run_t;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "host runner: %s\n", what);
    exit(EXIT_FAILURE);
}

static uint32_t crc32(const uint8_t *data, uint32_t bytes)
{
    uint32_t crc = 0xFFFFFFFFu;

    for (uint32_t i = 0; i < bytes; ++i) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

static void write_all(const void *data, size_t bytes)
{
    if (fwrite(data, 1, bytes, stdout) != bytes) {
        fail("cannot write");
    }
}

static void answer_step(void *user, uint32_t step, tess_event_t event)
{
    const run_t *run = user;

    if (event == TESS_STEP_END) {
        const tess_step_t *s = &run->model->steps[step];
        const uint32_t crc = crc32(run->arena + s->offset, s->bytes);
        write_all(&crc, sizeof crc);
    }
}

static uint8_t *mark_tensors(const tess_model_t *model)
{
    uint8_t *owned = calloc(1, (size_t)model->arena_bytes + 1);

    if (owned == NULL) {
        fail("out of memory");
    }
    for (uint32_t i = 0; i < model->input_count; ++i) {
        memset(owned + model->inputs[i].offset, 1, model->inputs[i].bytes);
    }
    for (uint32_t i = 0; i < model->step_count; ++i) {
        memset(owned + model->steps[i].offset, 1, model->steps[i].bytes);
    }
    return owned;
}

static void poison_guards(const uint8_t *arena, const uint8_t *owned, uint32_t bytes)
{
    for (uint32_t begin = 0, end = 0; begin < bytes; begin = end + 1) {
        for (end = begin; end < bytes && owned[end] == 0; ++end) {
        }
        if (end > begin) {
            ASAN_POISON_MEMORY_REGION(arena + begin, end - begin);
        }
    }
}

static void run_once(const tess_model_t *model)
{
    const size_t align = TESS_ARENA_ALIGN, bytes = (model->arena_bytes + align - 1) / align * align;
    uint8_t *arena = aligned_alloc(align, bytes > 0 ? bytes : align);
    uint8_t *owned = mark_tensors(model);

    if (arena == NULL) {
        fail("out of memory");
    }
    memset(arena, FILL, bytes);
    for (uint32_t i = 0; i < model->input_count; ++i) {
        if (fread(arena + model->inputs[i].offset, 1, model->inputs[i].bytes, stdin) != model->inputs[i].bytes) {
            fail("input is too short");
        }
    }
    poison_guards(arena, owned, model->arena_bytes);
    if (tess_run(model, arena, model->arena_bytes, answer_step, &(run_t){model, arena}) != TESS_OK) {
        fail("tess_run refused the model");
    }
    ASAN_UNPOISON_MEMORY_REGION(arena, bytes);
    for (uint32_t i = 0; i < model->arena_bytes; ++i) {
        if (owned[i] == 0 && arena[i] != FILL) {
            fail("a guard byte changed");
        }
    }
    for (uint32_t i = 0; i < model->output_count; ++i) {
        write_all(arena + model->outputs[i].offset, model->outputs[i].bytes);
    }
    free(owned);
    free(arena);
}

int main(void)
{
    uint32_t index;

    while (fread(&index, 1, sizeof index, stdin) == sizeof index) {
        if (index >= tess_host_model_count) {
            fail("no such model");
        }
        run_once(tess_host_models[index]);
    }
    return EXIT_SUCCESS;
}
