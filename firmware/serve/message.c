/* One message out and one frame in at a time. */
#include "internal.h"
#include "port.h"

uint32_t tess_serve_number;

static tess_frame_receiver_t receiver;
static uint8_t body[TESS_FRAME_BODY];

tess_cbor_writer_t tess_serve_message(const char *type, uint32_t pairs)
{
    tess_cbor_writer_t out = {.data = body, .size = TESS_FRAME_PAYLOAD};
    tess_cbor_map(&out, pairs + 2);
    tess_serve_text(&out, "t", type);
    tess_serve_uint(&out, "n", tess_serve_number);
    return out;
}

void tess_serve_uint(tess_cbor_writer_t *out, const char *key, uint64_t value)
{
    tess_cbor_text(out, key);
    tess_cbor_uint(out, value);
}

void tess_serve_text(tess_cbor_writer_t *out, const char *key, const char *value)
{
    tess_cbor_text(out, key);
    tess_cbor_text(out, value);
}

void tess_serve_send(const tess_cbor_writer_t *out)
{
    tess_frame_send(body, out->used, tess_port_put);
}

void tess_serve_ack(void)
{
    const tess_cbor_writer_t out = tess_serve_message("ack", 0);
    tess_serve_send(&out);
}

void tess_serve_refuse(tess_serve_error_t code, const char *text)
{
    tess_cbor_writer_t out = tess_serve_message("error", 2);
    tess_serve_uint(&out, "code", code);
    tess_serve_text(&out, "text", text);
    tess_serve_send(&out);
}

tess_frame_state_t tess_serve_poll(const uint8_t **payload, size_t *bytes)
{
    const int byte = tess_port_get();
    *payload = receiver.data;
    return byte < 0 ? TESS_FRAME_PENDING : tess_frame_receive(&receiver, (uint8_t)byte, bytes);
}
