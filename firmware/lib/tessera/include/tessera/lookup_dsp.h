/**
 * Functions of one byte, four at a time, for Armv7E-M. Any alignment; out may be in, or lie before it, as in lookup.h.
 * Spans are those of spans.h.
 */
#ifndef TESSERA_LOOKUP_DSP_H
#define TESSERA_LOOKUP_DSP_H

#include <stdint.h>

/** tess_lookup_8 */
void tess_lookup_8__dsp(const uint8_t table[256], const uint8_t *in, uint8_t *out, int32_t count);

/** op is a tess_lookup_span_8_t. */
void tess_lookup_span_8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                             int8_t *out, void *scratch);

/** out[i] = in[i] ^ 0x80: uint8 as int8 of a zero point that is 128 less, and back. */
void tess_flip_8__dsp(const uint8_t *in, uint8_t *out, int32_t count);

typedef struct {
    int32_t channels;
} tess_flip_span_8_dsp_t;

void tess_flip_span_8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                           int8_t *out, void *scratch);

#endif
