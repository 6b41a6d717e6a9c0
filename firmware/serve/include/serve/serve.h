/**
 * One model, driven over telemetry: takes inputs, runs, reports counts and CRCs of every step, gives outputs. All
 * applications share it and may answer requests of their own. The messages are in docs/telemetry.md.
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "telemetry/cbor.h"

/**
 * The application's: answers a request that is not the server's, by messages. `type` is the request's type.
 *
 * @return false if the request is unknown here too.
 */
bool tess_app_request(const tess_cbor_value_t *type);

/** Opens a message of so many pairs beside its type and the request's number. One message at a time. */
tess_cbor_writer_t tess_serve_message(const char *type, uint32_t pairs);

/** Adds a pair to a message. */
void tess_serve_uint(tess_cbor_writer_t *out, const char *key, uint64_t value);

/** Sends the message. */
void tess_serve_send(const tess_cbor_writer_t *out);

/** Output `index` of the model, below its output_count; true after a run. */
const void *tess_serve_output(uint32_t index);

#endif
