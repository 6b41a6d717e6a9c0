/* A filter for the host: decodes frames from stdin with the device's code, prints what it finds, and echoes each
   payload as a frame of the device's encoder. */
#include <stdio.h>
#include <string.h>

#include "telemetry/cbor.h"
#include "telemetry/frame.h"

static void put(const uint8_t *data, size_t bytes)
{
    fwrite(data, 1, bytes, stdout);
}

int main(void)
{
    static tess_frame_receiver_t receiver;
    static uint8_t body[TESS_FRAME_BODY];
    int byte;
    while ((byte = getchar()) != EOF) {
        size_t bytes = 0;
        tess_frame_state_t state = tess_frame_receive(&receiver, (uint8_t)byte, &bytes);
        if (state == TESS_FRAME_READY) {
            /* any bytes may be searched; an exact-size copy lets the sanitizer see a read past the end */
            uint8_t copy[bytes + 1];
            memcpy(copy, receiver.data, bytes);
            uint32_t number = 0;
            tess_cbor_value_t value;
            bool found = tess_cbor_find_uint(copy, bytes, "n", UINT32_MAX, &number);
            bool text = tess_cbor_find(copy, bytes, "t", &value) && value.type == TESS_CBOR_TEXT;
            fprintf(stderr, "ready %zu %d %u %.*s\n", bytes, found, (unsigned)number, text ? (int)value.bytes : 0,
                    text ? (const char *)value.data : "");
            memcpy(body, receiver.data, bytes);
            tess_frame_send(body, bytes, put);
        } else if (state == TESS_FRAME_DAMAGED) {
            fprintf(stderr, "damaged\n");
        }
    }
    return 0;
}
