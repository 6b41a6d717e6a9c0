#include "serve/serve.h"

#include <string.h>

#include "port.h"
#include "telemetry/frame.h"
#include "tess_model_config.h"

enum { PROTOCOL = 1, OUTPUT_CHUNK = 448, STEP_BATCH = 16, NAME_BYTES = 40, MAX_EDGES = 16, FILE_NAME_BYTES = 64 };
/* a batch of steps goes out after so many counts even if it is not full: the host takes silence for a hang */
enum { HEARTBEAT_COUNTS = 1 << 24 };

typedef enum {
    ERROR_DAMAGED = 1, /* a frame was damaged: send it again */
    ERROR_REQUEST = 2, /* unknown or incomplete request */
    ERROR_RANGE = 3,   /* outside an input or output */
    ERROR_FILE = 4,    /* a file of the host cannot be read */
} error_t;

static uint8_t arena[TESS_MODEL_ARENA_BYTES] __attribute__((section(".bss.arena"), aligned(TESS_ARENA_ALIGN)));
static tess_frame_receiver_t receiver;
static uint8_t body[TESS_FRAME_BODY];
static uint32_t request_number;

static struct {
    bool crcs;
    uint64_t overhead; /* counts of an empty step */
    uint64_t total, unsent;
    uint64_t counts[STEP_BATCH];
    uint32_t crc[STEP_BATCH];
    uint32_t first, used;
} run;

/* Messages ----------------------------------------------------------------------------------------------------- */

void tess_serve_uint(tess_cbor_writer_t *out, const char *key, uint64_t value)
{
    tess_cbor_text(out, key);
    tess_cbor_uint(out, value);
}

static void put_text(tess_cbor_writer_t *out, const char *key, const char *value)
{
    tess_cbor_text(out, key);
    tess_cbor_text(out, value);
}

tess_cbor_writer_t tess_serve_message(const char *type, uint32_t pairs)
{
    tess_cbor_writer_t out = {.data = body, .size = TESS_FRAME_PAYLOAD};
    tess_cbor_map(&out, pairs + 2);
    put_text(&out, "t", type);
    tess_serve_uint(&out, "n", request_number);
    return out;
}

void tess_serve_send(const tess_cbor_writer_t *out)
{
    tess_frame_send(body, out->used, tess_port_put);
}

static void send_ack(void)
{
    tess_cbor_writer_t out = tess_serve_message("ack", 0);
    tess_serve_send(&out);
}

static void send_error(error_t code, const char *text)
{
    tess_cbor_writer_t out = tess_serve_message("error", 2);
    tess_serve_uint(&out, "code", code);
    put_text(&out, "text", text);
    tess_serve_send(&out);
}

static void put_sizes(tess_cbor_writer_t *out, const char *key, const tess_tensor_t *tensors, uint32_t count)
{
    uint32_t told = count < MAX_EDGES ? count : MAX_EDGES;
    tess_cbor_text(out, key);
    tess_cbor_array(out, told);
    for (uint32_t i = 0; i < told; i++) {
        tess_cbor_uint(out, tensors[i].bytes);
    }
}

/* A name, cut to what surely fits in a frame. */
static void put_name(tess_cbor_writer_t *out, const char *key, const char *value)
{
    char name[NAME_BYTES + 1];
    strncpy(name, value, NAME_BYTES);
    name[NAME_BYTES] = 0;
    put_text(out, key, name);
}

static void send_boot(void)
{
    tess_cbor_writer_t out = tess_serve_message("boot", 12);
    tess_serve_uint(&out, "version", PROTOCOL);
    put_name(&out, "board", TESS_BOARD);
    put_name(&out, "model", TESS_MODEL.name);
    put_name(&out, "hash", TESS_MODEL.hash);
    tess_serve_uint(&out, "abi", TESS_MODEL.abi);
    tess_serve_uint(&out, "arena_bytes", TESS_MODEL.arena_bytes);
    put_text(&out, "unit", tess_port_count_unit);
    put_name(&out, "build", "gcc " __VERSION__);
    tess_serve_uint(&out, "steps", TESS_MODEL.step_count);
    put_sizes(&out, "inputs", TESS_MODEL.inputs, TESS_MODEL.input_count);
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
    put_text(&out, "kind", fault->kind);
    tess_serve_uint(&out, "exception", fault->exception);
    tess_serve_uint(&out, "pc", fault->pc);
    tess_serve_uint(&out, "lr", fault->lr);
    tess_serve_uint(&out, "cfsr", fault->cfsr);
    tess_serve_uint(&out, "address", fault->address);
    tess_cbor_text(&out, "step");
    tess_cbor_int(&out, fault->step);
    put_text(&out, "file", fault->text);
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

/* Running ------------------------------------------------------------------------------------------------------ */

static void send_steps(void)
{
    if (run.used == 0) {
        return;
    }
    tess_cbor_writer_t out = tess_serve_message("steps", run.crcs ? 3 : 2);
    tess_serve_uint(&out, "first", run.first);
    tess_cbor_text(&out, "counts");
    tess_cbor_array(&out, run.used);
    for (uint32_t i = 0; i < run.used; i++) {
        tess_cbor_uint(&out, run.counts[i]);
    }
    if (run.crcs) {
        tess_cbor_text(&out, "crcs");
        tess_cbor_array(&out, run.used);
        for (uint32_t i = 0; i < run.used; i++) {
            tess_cbor_uint(&out, run.crc[i]);
        }
    }
    tess_serve_send(&out);
    run.first += run.used;
    run.used = 0;
    run.unsent = 0;
}

/* The counter runs from the end of the hook's first call to the start of its second: CRC and telemetry are outside. */
static void hook(void *user, uint32_t step, tess_event_t event)
{
    if (event == TESS_STEP_BEGIN) {
        tess_fault_step = (int32_t)step;
        tess_port_count_start();
        return;
    }
    uint64_t count = tess_port_count();
    count = count > run.overhead ? count - run.overhead : 0;
    tess_fault_step = -1;
    (void)user;
    if (run.used == STEP_BATCH) {
        send_steps();
    }
    run.counts[run.used] = count;
    if (run.crcs) {
        run.crc[run.used] = tess_crc32(0, arena + TESS_MODEL.steps[step].offset, TESS_MODEL.steps[step].bytes);
    }
    run.used++;
    run.total += count;
    run.unsent += count;
    if (run.used == STEP_BATCH || run.unsent > HEARTBEAT_COUNTS) {
        send_steps();
    }
}

static void handle_run(bool crcs)
{
    memset(&run, 0, sizeof run);
    tess_port_count_start();
    run.overhead = tess_port_count();
    run.crcs = crcs;
    send_ack();
    tess_stack_paint();
    tess_status_t status = tess_run(&TESS_MODEL, arena, sizeof arena, hook, NULL);
    uint32_t stack = tess_stack_used();
    send_steps();
    tess_cbor_writer_t out = tess_serve_message("result", 3);
    tess_cbor_text(&out, "status");
    tess_cbor_int(&out, status);
    tess_serve_uint(&out, "count", run.total);
    tess_serve_uint(&out, "stack_bytes", stack);
    tess_serve_send(&out);
}

/* Requests ----------------------------------------------------------------------------------------------------- */

static void handle_input(const uint8_t *request, size_t bytes)
{
    uint32_t index, offset;
    tess_cbor_value_t data;
    if (!tess_cbor_find_uint(request, bytes, "index", UINT32_MAX, &index) ||
        !tess_cbor_find_uint(request, bytes, "offset", UINT32_MAX, &offset) ||
        !tess_cbor_find(request, bytes, "data", &data) || data.type != TESS_CBOR_BYTES) {
        send_error(ERROR_REQUEST, "input needs index, offset and data");
        return;
    }
    if (index >= TESS_MODEL.input_count || offset > TESS_MODEL.inputs[index].bytes ||
        data.bytes > TESS_MODEL.inputs[index].bytes - offset) {
        send_error(ERROR_RANGE, "outside the model's inputs");
        return;
    }
    memcpy(arena + TESS_MODEL.inputs[index].offset + offset, data.data, data.bytes);
    send_ack();
}

static void handle_file(const uint8_t *request, size_t bytes)
{
#if defined(TESS_SIMULATED)
    uint32_t index;
    tess_cbor_value_t file;
    char name[FILE_NAME_BYTES + 1] = {0};
    if (!tess_cbor_find_uint(request, bytes, "index", UINT32_MAX, &index) ||
        !tess_cbor_find(request, bytes, "name", &file) || file.type != TESS_CBOR_TEXT || file.bytes > FILE_NAME_BYTES) {
        send_error(ERROR_REQUEST, "file needs index and a name of at most 64 bytes");
        return;
    }
    if (index >= TESS_MODEL.input_count) {
        send_error(ERROR_RANGE, "outside the model's inputs");
        return;
    }
    memcpy(name, file.data, file.bytes);
    const tess_tensor_t *input = &TESS_MODEL.inputs[index];
    if (tess_semihost_read(name, arena + input->offset, input->bytes) != (int32_t)input->bytes) {
        send_error(ERROR_FILE, "the file is absent or shorter than the input");
        return;
    }
    send_ack();
#else
    (void)request;
    (void)bytes;
    send_error(ERROR_REQUEST, "only a simulator reads files");
#endif
}

static void handle_output(const uint8_t *request, size_t bytes)
{
    uint32_t index;
    if (!tess_cbor_find_uint(request, bytes, "index", UINT32_MAX, &index) || index >= TESS_MODEL.output_count) {
        send_error(ERROR_RANGE, "outside the model's outputs");
        return;
    }
    const tess_tensor_t *output = &TESS_MODEL.outputs[index];
    for (uint32_t offset = 0; offset < output->bytes; offset += OUTPUT_CHUNK) {
        uint32_t left = output->bytes - offset;
        tess_cbor_writer_t out = tess_serve_message("output", 3);
        tess_serve_uint(&out, "index", index);
        tess_serve_uint(&out, "offset", offset);
        tess_cbor_text(&out, "data");
        tess_cbor_bytes(&out, arena + output->offset + offset, left < OUTPUT_CHUNK ? left : OUTPUT_CHUNK);
        tess_serve_send(&out);
    }
    send_ack();
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
    request_number = 0;
    if (!tess_cbor_find(request, bytes, "t", &type) ||
        !tess_cbor_find_uint(request, bytes, "n", UINT32_MAX, &request_number)) {
        send_error(ERROR_REQUEST, "a request needs t and n");
    } else if (tess_cbor_is_text(&type, "hello")) {
        handle_hello();
    } else if (tess_cbor_is_text(&type, "input")) {
        handle_input(request, bytes);
    } else if (tess_cbor_is_text(&type, "file")) {
        handle_file(request, bytes);
    } else if (tess_cbor_is_text(&type, "run")) {
        tess_cbor_value_t crcs;
        handle_run(tess_cbor_find(request, bytes, "crcs", &crcs) && crcs.type == TESS_CBOR_BOOL && crcs.number);
    } else if (tess_cbor_is_text(&type, "output")) {
        handle_output(request, bytes);
    } else if (tess_cbor_is_text(&type, "exit")) {
        send_ack();
        tess_port_stop(0);
    } else if (!tess_app_request(&type)) {
        send_error(ERROR_REQUEST, "unknown request");
    }
}

const void *tess_serve_output(uint32_t index)
{
    return arena + TESS_MODEL.outputs[index].offset;
}

_Noreturn void tess_main(void)
{
    send_boot();
    for (;;) {
        int byte = tess_port_get();
        if (byte < 0) {
            continue;
        }
        size_t bytes = 0;
        tess_frame_state_t state = tess_frame_receive(&receiver, (uint8_t)byte, &bytes);
        if (state == TESS_FRAME_READY) {
            handle(receiver.data, bytes);
        } else if (state == TESS_FRAME_DAMAGED) {
            request_number = 0;
            send_error(ERROR_DAMAGED, "damaged frame");
        }
    }
}
