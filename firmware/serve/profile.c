/* Counts and check values of each step, gathered over its pieces. */
#include <string.h>

#include "internal.h"
#include "port.h"

enum {
    STEPS = TESS_MODEL_STEP_COUNT > 0 ? TESS_MODEL_STEP_COUNT : 1,
    BATCH = 32,                 /* steps of a message */
    HEARTBEAT_COUNTS = 1 << 24, /* the host takes silence for a hang: it hears from us after so many at the latest */
};

static struct {
    bool checks;
    uint32_t pieces, last;  /* ended so far, and the step of the last one */
    uint64_t overhead;      /* counts of a lap in which nothing happens */
    uint64_t open;          /* counts since the last piece ended, which belong to the one that ends next */
    uint64_t total, silent; /* of all pieces, and since the last message */
    uint32_t counts[STEPS]; /* full at UINT32_MAX: RAM counts, and a step that long is none for a microcontroller */
    uint32_t crcs[STEPS];
} profile;

/* Counts since the counter was set to zero, as the last thing at the end of a hook or a pull. */
static uint64_t lap(void)
{
    const uint64_t count = tess_port_count();
    return count > profile.overhead ? count - profile.overhead : 0;
}

/* What is open goes to `step`. */
static void credit(uint32_t step)
{
    const uint64_t sum = profile.counts[step] + profile.open;
    profile.counts[step] = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
    profile.total += profile.open;
    profile.silent += profile.open;
    profile.open = 0;
}

/* A whole tensor's CRC-32; of pieces, which come in any order and possibly again, the sum of each one's, started from
 * where it lies. */
static void check(const tess_piece_t *piece)
{
    const int32_t where[3] = {piece->y, piece->x_begin, piece->x_end}; /* little-endian, as the core is */
    const uint32_t seed = piece->y < 0 ? 0 : tess_crc32(0, where, sizeof where);
    profile.crcs[piece->step] += tess_crc32(seed, piece->data, piece->bytes);
}

static void heartbeat(void)
{
    if (profile.silent < HEARTBEAT_COUNTS) {
        return;
    }
    profile.silent = 0;
    tess_cbor_writer_t out = tess_serve_message("progress", 2);
    tess_serve_uint(&out, "pieces", profile.pieces);
    tess_serve_uint(&out, "count", profile.total);
    tess_serve_send(&out);
}

void tess_profile_hook(void *user, tess_event_t event, const tess_piece_t *piece)
{
    profile.open += lap();
    (void)user;
    if (event == TESS_PIECE_BEGIN) {
        tess_fault_step = (int32_t)piece->step;
    } else {
        tess_fault_step = -1;
        credit(piece->step);
        profile.pieces++;
        profile.last = piece->step;
        if (profile.checks && piece->data != NULL) {
            check(piece);
        }
        heartbeat();
    }
    tess_port_count_start();
}

void tess_profile_pause(void)
{
    profile.open += lap();
}

void tess_profile_resume(void)
{
    tess_port_count_start();
}

void tess_profile_begin(bool checks)
{
    memset(&profile, 0, sizeof profile);
    profile.checks = checks;
    /* as the model calls it: what runs between two calls in a row is ours, not the model's */
    const tess_hook_t volatile call = tess_profile_hook;
    const tess_piece_t nothing = {0};
    call(NULL, TESS_PIECE_BEGIN, &nothing);
    profile.open = 0;
    call(NULL, TESS_PIECE_BEGIN, &nothing);
    profile.overhead = profile.open;
    profile.open = 0;
    tess_fault_step = -1;
    tess_port_count_start();
}

uint64_t tess_profile_end(void)
{
    profile.open += lap();
    credit(profile.last);
    return profile.total;
}

void tess_profile_send(void)
{
    for (uint32_t first = 0; first < TESS_MODEL.step_count; first += BATCH) {
        const uint32_t left = TESS_MODEL.step_count - first, count = left < BATCH ? left : BATCH;
        tess_cbor_writer_t out = tess_serve_message("steps", profile.checks ? 3 : 2);
        tess_serve_uint(&out, "first", first);
        tess_cbor_text(&out, "counts");
        tess_cbor_array(&out, count);
        for (uint32_t i = first; i < first + count; i++) {
            tess_cbor_uint(&out, profile.counts[i]);
        }
        if (profile.checks) {
            tess_cbor_text(&out, "crcs");
            tess_cbor_array(&out, count);
            for (uint32_t i = first; i < first + count; i++) {
                tess_cbor_uint(&out, profile.crcs[i]);
            }
        }
        tess_serve_send(&out);
    }
}
