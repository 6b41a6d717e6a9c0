/**
 * Runs generated models, for tests and measurements: on the host, or on a simulated Cortex-M (port/cross).
 *
 * stdin holds any number of requests: the index of a model (uint32), then the bytes of all its inputs. Each is answered
 * on stdout by one check value a step (uint32), one number of instructions a step (uint64) and the bytes of all
 * outputs. Numbers are little-endian. A step's check value is the CRC-32 (zlib's polynomial) of its tensor, or of a
 * streamed one the sum of its pieces' (add_piece). Its instructions are those of its kernel; without a counter they are
 * 0.
 *
 * Bytes of the memories that belong to no buffer are guards: under AddressSanitizer a touch ends the program, and
 * without it a changed one is found after the run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "count.h"
#include "models.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif

enum { FILL = 0xA5, MOST_MEMORIES = 8, MOST_INPUTS = 16 };

/* What the calls of one run need. */
typedef struct {
    const tess_model_t *model;
    uint32_t *checks;              /* [step_count] */
    uint64_t *counts;              /* [step_count] */
    uint64_t began;                /* the counter when the piece began */
    uint64_t overhead;             /* what it counts around nothing */
    uint8_t *frames[MOST_INPUTS];  /* of the inputs that are pulled */
    int32_t next_row[MOST_INPUTS]; /* of a streamed input: the row to ask for */
} run_t;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "host runner: %s\n", what);
    exit(EXIT_FAILURE);
}

static void *allocate(size_t bytes)
{
    const size_t align = TESS_ARENA_ALIGN, most = (bytes + align) / align * align; /* of nothing, something */
    void *memory = aligned_alloc(align, most);

    if (memory == NULL) {
        fail("out of memory");
    }
    return memory;
}

static void write_all(const void *data, size_t bytes)
{
    if (fwrite(data, 1, bytes, stdout) != bytes) {
        fail("cannot write");
    }
}

static void read_all(void *data, size_t bytes)
{
    if (fread(data, 1, bytes, stdin) != bytes) {
        fail("input is too short");
    }
}

/* zlib's crc32: goes on from `crc`, 0 at first. */
static uint32_t crc32(uint32_t crc, const void *data, size_t bytes)
{
    const uint8_t *p = data;

    crc = ~crc;
    for (size_t i = 0; i < bytes; ++i) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

/* Whole tensors: their CRC-32. Pieces: the sum of the CRC-32 of where each lies (little-endian) and of its bytes. */
static void add_piece(const run_t *run, const tess_piece_t *piece)
{
    const int32_t where[] = {piece->y, piece->x_begin, piece->x_end};
    const uint32_t seed = piece->y < 0 ? 0 : crc32(0, where, sizeof where);

    run->checks[piece->step] += crc32(seed, piece->data, piece->bytes);
}

static void hook(void *user, tess_event_t event, const tess_piece_t *piece)
{
    const uint64_t now = tess_runner_count();
    run_t *run = user;

    if (piece->step >= run->model->step_count) {
        fail("a piece of no step");
    }
    if (event == TESS_PIECE_END) {
        const uint64_t count = now - run->began;
        run->counts[piece->step] += count > run->overhead ? count - run->overhead : 0;
        if (piece->data != NULL) {
            add_piece(run, piece);
        }
    }
    run->began = tess_runner_count();
}

/* Counts around nothing, as a model calls the hook. */
static void find_overhead(run_t *run)
{
    const tess_hook_t volatile call = hook;
    const tess_piece_t nothing = {0};

    if (run->model->step_count > 0) {
        call(run, TESS_PIECE_BEGIN, &nothing);
        call(run, TESS_PIECE_END, &nothing);
        run->overhead = run->counts[0];
        run->counts[0] = 0;
    }
}

static int input_row(void *user, uint32_t input, int32_t y, int32_t x_begin, int32_t x_end, void *out)
{
    run_t *run = user;

    if (input >= run->model->input_count || run->model->inputs[input].mode == TESS_RESIDENT) {
        fail("a row of an input that is not pulled");
    }
    const tess_tensor_t *t = &run->model->inputs[input];
    const int32_t h = t->dims[1], w = t->dims[2], pixel = t->dims[3];
    if (y < 0 || y >= h || x_begin < 0 || x_begin >= x_end || x_end > w) {
        fail("a span outside the input");
    }
    if (t->mode == TESS_STREAMED && (y != run->next_row[input]++ || x_begin != 0 || x_end != w)) {
        fail("a streamed input is asked for something else than its next row, whole");
    }
    memcpy(out, run->frames[input] + (y * w + x_begin) * pixel, (size_t)((x_end - x_begin) * pixel));
    return 0;
}

/* Which bytes of a memory belong to a buffer. */
static uint8_t *mark_buffers(const tess_host_model_t *host, uint32_t memory)
{
    const uint32_t bytes = host->model->memory_bytes[memory];
    uint8_t *owned = allocate(bytes);

    memset(owned, 0, bytes);
    for (uint32_t i = 0; i < host->buffer_count; ++i) {
        const tess_host_buffer_t *b = &host->buffers[i];
        if (b->place >> 28 == memory) {
            memset(owned + (b->place & 0x0FFFFFFFu), 1, b->bytes);
        }
    }
    return owned;
}

static void poison_guards(const uint8_t *base, const uint8_t *owned, uint32_t bytes)
{
    for (uint32_t begin = 0, end = 0; begin < bytes; begin = end + 1) {
        for (end = begin; end < bytes && owned[end] == 0; ++end) {
        }
        if (end > begin) {
            ASAN_POISON_MEMORY_REGION(base + begin, end - begin);
        }
    }
}

static void read_inputs(run_t *run, const tess_memory_t *memories)
{
    for (uint32_t i = 0; i < run->model->input_count; ++i) {
        const tess_tensor_t *t = &run->model->inputs[i];
        const int pulled = t->mode != TESS_RESIDENT;
        run->frames[i] = pulled ? allocate(t->bytes) : NULL;
        read_all(pulled ? run->frames[i] : tess_at(memories, t->place), t->bytes);
    }
}

static void check_rows_asked(const run_t *run)
{
    for (uint32_t i = 0; i < run->model->input_count; ++i) {
        const tess_tensor_t *t = &run->model->inputs[i];
        if (t->mode == TESS_STREAMED && run->next_row[i] != t->dims[1]) {
            fail("a streamed input was not asked for all its rows");
        }
    }
}

static void run_once(const tess_host_model_t *host)
{
    const tess_model_t *model = host->model;
    tess_memory_t memories[MOST_MEMORIES];
    uint8_t *owned[MOST_MEMORIES];
    const size_t steps = (size_t)model->step_count + 1; /* of nothing, something */
    run_t run = {.model = model, .checks = calloc(steps, sizeof(uint32_t)), .counts = calloc(steps, sizeof(uint64_t))};

    if (run.checks == NULL || run.counts == NULL || model->memory_count > MOST_MEMORIES ||
        model->input_count > MOST_INPUTS) {
        fail("out of memory");
    }
    for (uint32_t i = 0; i < model->memory_count; ++i) {
        memories[i] = (tess_memory_t){allocate(model->memory_bytes[i]), model->memory_bytes[i]};
        owned[i] = mark_buffers(host, i);
        memset(memories[i].base, FILL, memories[i].bytes);
    }
    read_inputs(&run, memories);
    for (uint32_t i = 0; i < model->memory_count; ++i) {
        poison_guards(memories[i].base, owned[i], model->memory_bytes[i]);
    }
    find_overhead(&run);
    if (tess_run(model, memories, &(tess_calls_t){hook, input_row, &run}) != TESS_OK) {
        fail("tess_run refused the model");
    }
    check_rows_asked(&run);
    for (uint32_t m = 0; m < model->memory_count; ++m) {
        const uint8_t *base = memories[m].base;
        ASAN_UNPOISON_MEMORY_REGION(base, memories[m].bytes);
        for (uint32_t i = 0; i < model->memory_bytes[m]; ++i) {
            if (owned[m][i] == 0 && base[i] != FILL) {
                fail("a guard byte changed");
            }
        }
    }
    write_all(run.checks, model->step_count * sizeof(uint32_t));
    write_all(run.counts, model->step_count * sizeof(uint64_t));
    for (uint32_t i = 0; i < model->output_count; ++i) {
        write_all(tess_at(memories, model->outputs[i].place), model->outputs[i].bytes);
    }
    for (uint32_t i = 0; i < model->input_count; ++i) {
        free(run.frames[i]);
    }
    for (uint32_t i = 0; i < model->memory_count; ++i) {
        free(owned[i]);
        free(memories[i].base);
    }
    free(run.checks);
    free(run.counts);
}

int main(void)
{
    uint32_t index;

    while (fread(&index, 1, sizeof index, stdin) == sizeof index) {
        if (index >= tess_host_model_count) {
            fail("no such model");
        }
        run_once(&tess_host_models[index]);
    }
    return EXIT_SUCCESS;
}
