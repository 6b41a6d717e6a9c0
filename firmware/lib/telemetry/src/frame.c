#include "telemetry/frame.h"

#include <stdbool.h>

/* CRC-32 of each half byte, polynomial 0xedb88320: 64 bytes of flash instead of 1 KiB. */
static const uint32_t crc_of_nibble[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t tess_crc32(uint32_t crc, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    crc = ~crc;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= at[i];
        crc = (crc >> 4) ^ crc_of_nibble[crc & 15];
        crc = (crc >> 4) ^ crc_of_nibble[crc & 15];
    }
    return ~crc;
}

void tess_frame_send(uint8_t *body, size_t bytes, tess_frame_put_t put)
{
    static const uint8_t zero = 0;
    uint32_t crc = tess_crc32(0, body, bytes);
    for (int i = 0; i < 4; i++) {
        body[bytes++] = (uint8_t)(crc >> (8 * i));
    }
    for (size_t start = 0;;) {
        size_t end = start;
        while (end < bytes && body[end] != 0 && end - start < 254) {
            end++;
        }
        uint8_t code = (uint8_t)(end - start + 1);
        put(&code, 1);
        put(body + start, end - start);
        if (end == bytes) {
            break;
        }
        start = code == 255 ? end : end + 1; /* a full block stands for no zero */
    }
    put(&zero, 1);
}

/* Undoes COBS in place: what is written never passes what is read. */
static bool cobs_decode(uint8_t *data, size_t bytes, size_t *decoded)
{
    size_t out = 0;
    for (size_t in = 0; in < bytes;) {
        size_t code = data[in++];
        if (code == 0 || in + code - 1 > bytes) {
            return false;
        }
        for (size_t i = 1; i < code; i++) {
            data[out++] = data[in++];
        }
        if (code < 255 && in < bytes) {
            data[out++] = 0;
        }
    }
    *decoded = out;
    return true;
}

tess_frame_state_t tess_frame_receive(tess_frame_receiver_t *receiver, uint8_t byte, size_t *bytes)
{
    if (byte != 0) {
        if (receiver->used < sizeof receiver->data) {
            receiver->data[receiver->used] = byte;
        }
        if (receiver->used <= sizeof receiver->data) {
            receiver->used++;
        }
        return TESS_FRAME_PENDING;
    }
    size_t used = receiver->used, body = 0;
    receiver->used = 0;
    if (used == 0) {
        return TESS_FRAME_PENDING;
    }
    if (used > sizeof receiver->data || !cobs_decode(receiver->data, used, &body) || body < 4) {
        return TESS_FRAME_DAMAGED;
    }
    /* over a payload and its little-endian CRC-32 the register ends at a constant */
    if (tess_crc32(0, receiver->data, body) != 0x2144df1c) {
        return TESS_FRAME_DAMAGED;
    }
    *bytes = body - 4;
    return TESS_FRAME_READY;
}
