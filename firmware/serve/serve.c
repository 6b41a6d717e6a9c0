#include "serve/serve.h"

#include <string.h>

#include "internal.h"
#include "port.h"

enum { PROTOCOL = 2, NAME_BYTES = 40, FILE_NAME_BYTES = 64 };

/* The model's memories, each an array in the section that its region has. */
#define MEMORY(i)                                                                                                      \
    static uint8_t memory_##i[TESS_MODEL_MEMORY_##i##_BYTES]                                                           \
        __attribute__((section(TESS_MODEL_MEMORY_##i##_SECTION), aligned(TESS_ARENA_ALIGN)))

_Static_assert(TESS_MODEL_MEMORY_COUNT >= 1 && TESS_MODEL_MEMORY_COUNT <= 4, "so many memories are written out here");
MEMORY(0);
#if TESS_MODEL_MEMORY_COUNT > 1
MEMORY(1);
#endif
#if TESS_MODEL_MEMORY_COUNT > 2
MEMORY(2);
#endif
#if TESS_MODEL_MEMORY_COUNT > 3
MEMORY(3);
#endif

static const tess_memory_t memories[TESS_MODEL_MEMORY_COUNT] = {
    {memory_0, sizeof memory_0},
#if TESS_MODEL_MEMORY_COUNT > 1
    {memory_1, sizeof memory_1},
#endif
#if TESS_MODEL_MEMORY_COUNT > 2
    {memory_2, sizeof memory_2},
#endif
#if TESS_MODEL_MEMORY_COUNT > 3
    {memory_3, sizeof memory_3},
#endif
};

/* Messages ----------------------------------------------------------------------------------------------------- */

static uint32_t told(uint32_t edges)
{
    return edges < TESS_SERVE_EDGES ? edges : TESS_SERVE_EDGES;
}

static void put_sizes(tess_cbor_writer_t *out, const char *key, const tess_tensor_t *tensors, uint32_t count)
{
    tess_cbor_text(out, key);
    tess_cbor_array(out, told(count));
    for (uint32_t i = 0; i < told(count); i++) {
        tess_cbor_uint(out, tensors[i].bytes);
    }
}

/* A name, cut to what surely fits in a frame. */
static void put_name(tess_cbor_writer_t *out, const char *key, const char *value)
{
    char name[NAME_BYTES + 1];
    strncpy(name, value, NAME_BYTES);
    name[NAME_BYTES] = 0;
    tess_serve_text(out, key, name);
}

static void send_boot(void)
{
    tess_cbor_writer_t out = tess_serve_message("boot", 13);
    tess_serve_uint(&out, "version", PROTOCOL);
    put_name(&out, "board", TESS_BOARD);
    put_name(&out, "model", TESS_MODEL.name);
    put_name(&out, "hash", TESS_MODEL.hash);
    tess_serve_uint(&out, "abi", TESS_MODEL.abi);
    tess_serve_uint(&out, "arena_bytes", TESS_MODEL_ARENA_BYTES);
    tess_serve_text(&out, "unit", tess_port_count_unit);
    put_name(&out, "build", "gcc " __VERSION__);
    tess_serve_uint(&out, "steps", TESS_MODEL.step_count);
    put_sizes(&out, "inputs", TESS_MODEL.inputs, TESS_MODEL.input_count);
    tess_cbor_text(&out, "modes");
    tess_cbor_array(&out, told(TESS_MODEL.input_count));
    for (uint32_t i = 0; i < told(TESS_MODEL.input_count); i++) {
        tess_cbor_uint(&out, TESS_MODEL.inputs[i].mode);
    }
    put_sizes(&out, "outputs", TESS_MODEL.outputs, TESS_MODEL.output_count);
    tess_cbor_text(&out, "simulated");
#if defined(TESS_SIMULATED)
    tess_cbor_bool(&out, true);
#else
    tess_cbor_bool(&out, false);
#endif
    tess_serve_send(&out);
}

static void send_fault(const tess_fault_t *fault, bool earlier)
{
    tess_cbor_writer_t out = tess_serve_message("fault", 10);
    tess_serve_text(&out, "kind", fault->kind);
    tess_serve_uint(&out, "exception", fault->exception);
    tess_serve_uint(&out, "pc", fault->pc);
    tess_serve_uint(&out, "lr", fault->lr);
    tess_serve_uint(&out, "cfsr", fault->cfsr);
    tess_serve_uint(&out, "address", fault->address);
    tess_cbor_text(&out, "step");
    tess_cbor_int(&out, fault->step);
    tess_serve_text(&out, "file", fault->text);
    tess_cbor_text(&out, "line");
    tess_cbor_int(&out, fault->line);
    tess_cbor_text(&out, "earlier");
    tess_cbor_bool(&out, earlier);
    tess_serve_send(&out);
}

void tess_fault_report(const tess_fault_t *fault)
{
    static const uint8_t zero = 0; /* ends a frame that the fault cut off */
    tess_port_put(&zero, 1);
    send_fault(fault, false);
}

/* Requests ----------------------------------------------------------------------------------------------------- */

static void send_result(tess_status_t status, uint64_t count, uint32_t stack)
{
    tess_cbor_writer_t out = tess_serve_message("result", 3);
    tess_cbor_text(&out, "status");
    tess_cbor_int(&out, status);
    tess_serve_uint(&out, "count", count);
    tess_serve_uint(&out, "stack_bytes", stack);
    tess_serve_send(&out);
}

static void handle_run(bool checks)
{
    tess_serve_ack();
    tess_stack_paint();
    tess_profile_begin(checks);
    const tess_calls_t calls = {.hook = tess_profile_hook, .input_row = tess_pull_row};
    const tess_status_t status = tess_run(&TESS_MODEL, memories, &calls);
    const uint64_t count = tess_profile_end();
    const uint32_t stack = tess_stack_used();
    tess_fault_step = -1;
    if (status == TESS_OK) {
        tess_profile_send();
    }
    send_result(status, count, stack);
}

/* The input that a request names, or NULL after an answer that refuses it. */
static const tess_tensor_t *input_of(const uint8_t *request, size_t bytes, uint32_t *index)
{
    if (!tess_cbor_find_uint(request, bytes, "index", UINT32_MAX, index)) {
        tess_serve_refuse(TESS_SERVE_REQUEST, "an input is named by its index");
    } else if (*index >= told(TESS_MODEL.input_count)) {
        tess_serve_refuse(TESS_SERVE_RANGE, "outside the model's inputs");
    } else {
        return &TESS_MODEL.inputs[*index];
    }
    return NULL;
}

static void handle_input(const uint8_t *request, size_t bytes)
{
    uint32_t index, offset;
    tess_cbor_value_t data;
    const tess_tensor_t *input = input_of(request, bytes, &index);
    if (input == NULL) {
        return;
    }
    if (!tess_cbor_find_uint(request, bytes, "offset", UINT32_MAX, &offset) ||
        !tess_cbor_find(request, bytes, "data", &data) || data.type != TESS_CBOR_BYTES) {
        tess_serve_refuse(TESS_SERVE_REQUEST, "input needs index, offset and data");
    } else if (input->mode != TESS_RESIDENT) {
        tess_serve_refuse(TESS_SERVE_REQUEST, "the model pulls this input: feed it");
    } else if (offset > input->bytes || data.bytes > input->bytes - offset) {
        tess_serve_refuse(TESS_SERVE_RANGE, "outside the model's inputs");
    } else {
        memcpy(tess_at(memories, input->place) + offset, data.data, data.bytes);
        tess_serve_ack();
    }
}

static void handle_feed(const uint8_t *request, size_t bytes)
{
    uint32_t index;
    const tess_tensor_t *input = input_of(request, bytes, &index);
    if (input == NULL) {
        return;
    }
    if (input->mode == TESS_RESIDENT) {
        tess_serve_refuse(TESS_SERVE_REQUEST, "the model does not pull this input: send it");
        return;
    }
    tess_pull_from_host(index);
    tess_serve_ack();
}

#if defined(TESS_SIMULATED)
static bool load(const tess_tensor_t *input, const char *name)
{
    const int32_t file = tess_semihost_open(name);
    if (file < 0) {
        return false;
    }
    const bool whole = tess_semihost_size(file) == (int32_t)input->bytes &&
                       tess_semihost_read(file, 0, tess_at(memories, input->place), input->bytes);
    tess_semihost_close(file);
    return whole;
}

static void handle_file(const uint8_t *request, size_t bytes)
{
    uint32_t index;
    tess_cbor_value_t file;
    char name[FILE_NAME_BYTES + 1] = {0};
    const tess_tensor_t *input = input_of(request, bytes, &index);
    if (input == NULL) {
        return;
    }
    if (!tess_cbor_find(request, bytes, "name", &file) || file.type != TESS_CBOR_TEXT || file.bytes > FILE_NAME_BYTES) {
        tess_serve_refuse(TESS_SERVE_REQUEST, "file needs index and a name of at most 64 bytes");
        return;
    }
    memcpy(name, file.data, file.bytes);
    if (input->mode == TESS_RESIDENT ? load(input, name) : tess_pull_from_file(index, name)) {
        tess_serve_ack();
    } else {
        tess_serve_refuse(TESS_SERVE_FILE, "the file is absent or not as long as the input");
    }
}

static void handle_mark(const uint8_t *request, size_t bytes)
{
    tess_cbor_value_t pieces;
    const bool each = tess_cbor_find(request, bytes, "pieces", &pieces) && pieces.type == TESS_CBOR_BOOL;
    tess_serve_ack();
    tess_stack_paint();
    const tess_status_t status = tess_mark_run(memories, each && pieces.number);
    send_result(status, 0, tess_stack_used());
}
#else
static void handle_file(const uint8_t *request, size_t bytes)
{
    (void)request;
    (void)bytes;
    tess_serve_refuse(TESS_SERVE_REQUEST, "only a simulator reads files");
}

static void handle_mark(const uint8_t *request, size_t bytes)
{
    (void)request;
    (void)bytes;
    tess_serve_refuse(TESS_SERVE_REQUEST, "only a simulator has a profiler that sees marks");
}
#endif

static void handle_output(const uint8_t *request, size_t bytes)
{
    uint32_t index;
    if (!tess_cbor_find_uint(request, bytes, "index", UINT32_MAX, &index) || index >= TESS_MODEL.output_count) {
        tess_serve_refuse(TESS_SERVE_RANGE, "outside the model's outputs");
        return;
    }
    const tess_tensor_t *output = &TESS_MODEL.outputs[index];
    for (uint32_t offset = 0; offset < output->bytes; offset += TESS_SERVE_CHUNK) {
        uint32_t left = output->bytes - offset;
        tess_cbor_writer_t out = tess_serve_message("output", 3);
        tess_serve_uint(&out, "index", index);
        tess_serve_uint(&out, "offset", offset);
        tess_cbor_text(&out, "data");
        tess_cbor_bytes(&out, tess_at(memories, output->place) + offset,
                        left < TESS_SERVE_CHUNK ? left : TESS_SERVE_CHUNK);
        tess_serve_send(&out);
    }
    tess_serve_ack();
}

static void handle_hello(void)
{
    if (tess_fault.magic == TESS_FAULT_MAGIC) {
        tess_fault.kind[sizeof tess_fault.kind - 1] = 0;
        tess_fault.text[sizeof tess_fault.text - 1] = 0;
        send_fault(&tess_fault, true);
        tess_fault.magic = 0;
    }
    send_boot();
}

static void handle(const uint8_t *request, size_t bytes)
{
    tess_cbor_value_t type;
    tess_serve_number = 0;
    if (!tess_cbor_find(request, bytes, "t", &type) ||
        !tess_cbor_find_uint(request, bytes, "n", UINT32_MAX, &tess_serve_number)) {
        tess_serve_refuse(TESS_SERVE_REQUEST, "a request needs t and n");
    } else if (tess_cbor_is_text(&type, "hello")) {
        handle_hello();
    } else if (tess_cbor_is_text(&type, "input")) {
        handle_input(request, bytes);
    } else if (tess_cbor_is_text(&type, "feed")) {
        handle_feed(request, bytes);
    } else if (tess_cbor_is_text(&type, "row")) {
        /* answers a `want` that nobody waits for any more */
    } else if (tess_cbor_is_text(&type, "file")) {
        handle_file(request, bytes);
    } else if (tess_cbor_is_text(&type, "run")) {
        tess_cbor_value_t crcs;
        handle_run(tess_cbor_find(request, bytes, "crcs", &crcs) && crcs.type == TESS_CBOR_BOOL && crcs.number);
    } else if (tess_cbor_is_text(&type, "mark")) {
        handle_mark(request, bytes);
    } else if (tess_cbor_is_text(&type, "output")) {
        handle_output(request, bytes);
    } else if (tess_cbor_is_text(&type, "exit")) {
        tess_serve_ack();
        tess_port_stop(0);
    } else if (!tess_app_request(&type)) {
        tess_serve_refuse(TESS_SERVE_REQUEST, "unknown request");
    }
}

const void *tess_serve_output(uint32_t index)
{
    return tess_at(memories, TESS_MODEL.outputs[index].place);
}

_Noreturn void tess_main(void)
{
    send_boot();
    for (;;) {
        const uint8_t *payload;
        size_t bytes;
        const tess_frame_state_t state = tess_serve_poll(&payload, &bytes);
        if (state == TESS_FRAME_READY) {
            handle(payload, bytes);
        } else if (state == TESS_FRAME_DAMAGED) {
            tess_serve_number = 0;
            tess_serve_refuse(TESS_SERVE_DAMAGED, "damaged frame");
        }
    }
}
