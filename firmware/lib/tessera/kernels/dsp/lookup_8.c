#include "tessera/lookup_dsp.h"

#include "instructions.h"
#include "tessera/spans.h"

#define FLIP 0x80808080u

static inline uint32_t look_up_word(const uint8_t table[256], uint32_t in)
{
    return table[in & 0xff] | (uint32_t)table[in >> 8 & 0xff] << 8 | (uint32_t)table[in >> 16 & 0xff] << 16 |
           (uint32_t)table[in >> 24] << 24;
}

void tess_lookup_8__dsp(const uint8_t table[256], const uint8_t *in, uint8_t *out, int32_t count)
{
    for (; count >= 8; count -= 8, in += 8, out += 8) {
        const uint32_t first = tess_load_word(in), second = tess_load_word(in + 4);

        tess_store_word(out, look_up_word(table, first));
        tess_store_word(out + 4, look_up_word(table, second));
    }
    for (; count > 0; --count) {
        *out++ = table[*in++];
    }
}

void tess_lookup_span_8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                             int8_t *out, void *scratch)
{
    const tess_lookup_span_8_t *lookup = op;
    const int8_t *in = rows[0] + x_begin * lookup->channels;

    (void)y, (void)scratch;
    tess_lookup_8__dsp(lookup->table, (const uint8_t *)in, (uint8_t *)out, (x_end - x_begin) * lookup->channels);
}

void tess_flip_8__dsp(const uint8_t *in, uint8_t *out, int32_t count)
{
    for (; count >= 16; count -= 16, in += 16, out += 16) {
        const uint32_t a = tess_load_word(in), b = tess_load_word(in + 4);
        const uint32_t c = tess_load_word(in + 8), d = tess_load_word(in + 12);

        tess_store_word(out, a ^ FLIP);
        tess_store_word(out + 4, b ^ FLIP);
        tess_store_word(out + 8, c ^ FLIP);
        tess_store_word(out + 12, d ^ FLIP);
    }
    for (; count > 0; --count) {
        *out++ = *in++ ^ 0x80;
    }
}

void tess_flip_span_8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                           int8_t *out, void *scratch)
{
    const tess_flip_span_8_dsp_t *flip = op;
    const int8_t *in = rows[0] + x_begin * flip->channels;

    (void)y, (void)scratch;
    tess_flip_8__dsp((const uint8_t *)in, (uint8_t *)out, (x_end - x_begin) * flip->channels);
}
