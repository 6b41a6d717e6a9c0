/** What the files of the server share. */
#ifndef SERVE_INTERNAL_H
#define SERVE_INTERNAL_H

#include "serve/serve.h"
#include "telemetry/frame.h"
#include "tess_model_config.h"

/** Most bytes of an input or output in one message, and most inputs and outputs that a host is told of. */
enum { TESS_SERVE_CHUNK = 448, TESS_SERVE_EDGES = 16 };

typedef enum {
    TESS_SERVE_DAMAGED = 1, /**< a frame was damaged: send it again */
    TESS_SERVE_REQUEST = 2, /**< unknown or incomplete request */
    TESS_SERVE_RANGE = 3,   /**< outside an input or output */
    TESS_SERVE_FILE = 4,    /**< a file of the host cannot be read */
} tess_serve_error_t;

/* message.c: the line */

/** Number of the request that is being answered; 0 outside one. */
extern uint32_t tess_serve_number;

void tess_serve_text(tess_cbor_writer_t *out, const char *key, const char *value);
void tess_serve_ack(void);
void tess_serve_refuse(tess_serve_error_t code, const char *text);

/** Takes at most one byte from the line. The payload of TESS_FRAME_READY stays until the next call. */
tess_frame_state_t tess_serve_poll(const uint8_t **payload, size_t *bytes);

/* profile.c: counts and check values of the steps of a run */

/** Forgets the run before and starts to count. */
void tess_profile_begin(bool checks);

/** For tess_calls_t. */
void tess_profile_hook(void *user, tess_event_t event, const tess_piece_t *piece);

/** What lies between these two is not counted. */
void tess_profile_pause(void);
void tess_profile_resume(void);

/** @return counts of the whole run */
uint64_t tess_profile_end(void);

/** Sends the steps. */
void tess_profile_send(void);

/* pull.c: inputs that the model pulls */

/** For tess_calls_t. */
int tess_pull_row(void *user, uint32_t input, int32_t y, int32_t x_begin, int32_t x_end, void *out);

/** From now on the host is asked for the rows of this input. */
void tess_pull_from_host(uint32_t input);

#if defined(TESS_SIMULATED)
/** From now on the rows of this input are read from a file of the host. @return false if it is absent or too short. */
bool tess_pull_from_file(uint32_t input, const char *name);

/* marks.c: runs that a profiler of the simulator watches */

/** Runs the model, with marks before and after each piece if `pieces`, else before and after the run. */
tess_status_t tess_mark_run(const tess_memory_t *memories, bool pieces);
#endif

#endif
