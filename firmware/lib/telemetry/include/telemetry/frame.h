/** Frames on a byte stream: COBS(payload, CRC-32 of the payload) and a zero byte. See docs/telemetry.md. */
#ifndef TELEMETRY_FRAME_H
#define TELEMETRY_FRAME_H

#include <stddef.h>
#include <stdint.h>

/** Longest payload, in bytes. */
#define TESS_FRAME_PAYLOAD 512
/** The same with its CRC-32, and with what COBS adds. */
#define TESS_FRAME_BODY (TESS_FRAME_PAYLOAD + 4)
#define TESS_FRAME_CODED (TESS_FRAME_BODY + TESS_FRAME_BODY / 254 + 1)

/** CRC-32 of zlib and Ethernet over data[bytes]; `crc` is 0 to start, or the result so far. */
uint32_t tess_crc32(uint32_t crc, const void *data, size_t bytes);

/** Where an encoded frame goes. */
typedef void (*tess_frame_put_t)(const uint8_t *data, size_t bytes);

/**
 * Sends one frame. body[TESS_FRAME_BODY] holds the payload; four bytes after it are overwritten by its CRC-32.
 * `bytes` is the payload's, at most TESS_FRAME_PAYLOAD.
 */
void tess_frame_send(uint8_t *body, size_t bytes, tess_frame_put_t put);

/** A frame being received. Zero-initialised, it is ready. */
typedef struct {
    uint8_t data[TESS_FRAME_CODED];
    uint32_t used; /**< bytes so far; more than fit when the frame is too long */
} tess_frame_receiver_t;

typedef enum {
    TESS_FRAME_PENDING = 0,  /**< more bytes are needed */
    TESS_FRAME_READY = 1,    /**< a payload lies in receiver->data */
    TESS_FRAME_DAMAGED = -1, /**< a frame ended that was too long, not COBS, or whose CRC-32 is wrong */
} tess_frame_state_t;

/**
 * Takes the next byte from the line. When it completes a frame, *bytes is its payload's size; the payload stays until
 * the next call. Empty frames are skipped, so that a sender may open with a zero byte.
 */
tess_frame_state_t tess_frame_receive(tess_frame_receiver_t *receiver, uint8_t byte, size_t *bytes);

#endif
