/* Inputs that the model pulls row by row: from the host over the line, on a simulator also from a file. */
#include <string.h>

#include "internal.h"
#include "port.h"

/* Patience with one answer: on a chip 2 s, of which the largest is 45 ms on the way; a simulator, whose line is faster,
   takes half a second to three for so many instructions. */
#if defined(TESS_SIMULATED)
enum { WANT_COUNTS = 1 << 25 };
#else
enum { WANT_COUNTS = 2 * (F_CPU) };
#endif
enum { WANT_TRIES = 4 };

enum { NOWHERE = 0, HOST = -1, FILES = 1 };

/* Where the rows of each input come from: NOWHERE, the HOST, or a file whose handle is the value less FILES. */
static int32_t sources[TESS_SERVE_EDGES];

/* The answer to a `want`. Anything else is not for us: an answer that comes late, or twice. */
static bool is_answer(const uint8_t *payload, size_t bytes, uint32_t input, uint32_t offset, uint32_t wanted, void *out)
{
    uint32_t number, index, at;
    tess_cbor_value_t type, data;
    if (!tess_cbor_find(payload, bytes, "t", &type) || !tess_cbor_is_text(&type, "row") ||
        !tess_cbor_find_uint(payload, bytes, "n", UINT32_MAX, &number) || number != tess_serve_number ||
        !tess_cbor_find_uint(payload, bytes, "index", UINT32_MAX, &index) || index != input ||
        !tess_cbor_find_uint(payload, bytes, "offset", UINT32_MAX, &at) || at != offset ||
        !tess_cbor_find(payload, bytes, "data", &data) || data.type != TESS_CBOR_BYTES || data.bytes != wanted) {
        return false;
    }
    memcpy(out, data.data, wanted);
    return true;
}

/* Waits for the answer to one `want`. @return false if none came in time, or a damaged frame that may have been it. */
static bool await(uint32_t input, uint32_t offset, uint32_t wanted, void *out)
{
    tess_port_count_start();
    while (tess_port_count() < WANT_COUNTS) {
        const uint8_t *payload;
        size_t bytes;
        const tess_frame_state_t state = tess_serve_poll(&payload, &bytes);
        if (state == TESS_FRAME_READY && is_answer(payload, bytes, input, offset, wanted, out)) {
            return true;
        }
        if (state == TESS_FRAME_DAMAGED) {
            return false;
        }
    }
    return false;
}

/* One chunk after the other: a chip has no buffer beyond the frame that it works on. */
static bool ask_host(uint32_t input, uint32_t offset, uint32_t bytes, uint8_t *out)
{
    for (uint32_t at = 0, tries = 0; at < bytes;) {
        const uint32_t left = bytes - at, wanted = left < TESS_SERVE_CHUNK ? left : TESS_SERVE_CHUNK;
        if (tries++ == WANT_TRIES) {
            return false;
        }
        tess_cbor_writer_t want = tess_serve_message("want", 3);
        tess_serve_uint(&want, "index", input);
        tess_serve_uint(&want, "offset", offset + at);
        tess_serve_uint(&want, "bytes", wanted);
        tess_serve_send(&want);
        if (await(input, offset + at, wanted, out + at)) {
            at += wanted;
            tries = 0;
        }
    }
    return true;
}

/* Not inlined, so that what is counted after it is the same code wherever the row came from. */
__attribute__((noinline)) static bool pull(uint32_t input, uint32_t offset, uint32_t bytes, uint8_t *out)
{
    const int32_t source = input < TESS_SERVE_EDGES ? sources[input] : NOWHERE;
#if defined(TESS_SIMULATED)
    if (source >= FILES) {
        return tess_semihost_read(source - FILES, offset, out, bytes);
    }
#endif
    return source == HOST && ask_host(input, offset, bytes, out);
}

int tess_pull_row(void *user, uint32_t input, int32_t y, int32_t x_begin, int32_t x_end, void *out)
{
    tess_profile_pause();
    (void)user;
    const int32_t *dims = TESS_MODEL.inputs[input].dims; /* of 8-bit values */
    const int32_t offset = (y * dims[2] + x_begin) * dims[3];
    const bool pulled = pull(input, (uint32_t)offset, (uint32_t)((x_end - x_begin) * dims[3]), out);
    tess_profile_resume();
    return pulled ? 0 : -1;
}

void tess_pull_from_host(uint32_t input)
{
#if defined(TESS_SIMULATED)
    if (sources[input] >= FILES) {
        tess_semihost_close(sources[input] - FILES);
    }
#endif
    sources[input] = HOST;
}

#if defined(TESS_SIMULATED)
bool tess_pull_from_file(uint32_t input, const char *name)
{
    tess_pull_from_host(input); /* closes the file before */
    sources[input] = NOWHERE;
    const int32_t file = tess_semihost_open(name);
    if (file < 0) {
        return false;
    }
    if (tess_semihost_size(file) != (int32_t)TESS_MODEL.inputs[input].bytes) {
        tess_semihost_close(file);
        return false;
    }
    sources[input] = file + FILES;
    return true;
}
#endif
