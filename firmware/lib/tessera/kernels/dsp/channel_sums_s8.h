/** Sums over pixels, four channels at a time: two pairs of int16 in two words. */
#ifndef TESSERA_DSP_CHANNEL_SUMS_S8_H
#define TESSERA_DSP_CHANNEL_SUMS_S8_H

#include <stdint.h>

#include "instructions.h"
#include "tessera/tess_math.h"

/** Pixels whose sums fit in int16. */
#define TESS_PAIR_PIXELS 256

/** Sums of channels 0 and 2, and of 1 and 3. */
typedef struct {
    uint32_t even, odd;
} tess_channel_sums_t;

static inline tess_channel_sums_t tess_sum_pixel4(tess_channel_sums_t sums, const int8_t *in)
{
    const uint32_t word = tess_load_word(in);

    return (tess_channel_sums_t){tess_sxtab16(sums.even, word), tess_sxtab16_high(sums.odd, word)};
}

/** sums += in[p][0 .. 4) over p < pixels, `step` bytes from pixel to pixel. */
static inline tess_channel_sums_t tess_sum_pixels4(tess_channel_sums_t sums, const int8_t *in, int32_t pixels,
                                                   int32_t step)
{
    for (; pixels >= 4; pixels -= 4, in += 4 * step) {
        sums = tess_sum_pixel4(sums, in);
        sums = tess_sum_pixel4(sums, in + step);
        sums = tess_sum_pixel4(sums, in + 2 * step);
        sums = tess_sum_pixel4(sums, in + 3 * step);
    }
    for (; pixels > 0; --pixels, in += step) {
        sums = tess_sum_pixel4(sums, in);
    }
    return sums;
}

/** totals[c] += the sum of channel c */
static inline void tess_add_sums4(int32_t totals[4], tess_channel_sums_t sums)
{
    totals[0] += (int16_t)(sums.even & 0xffff);
    totals[1] += (int16_t)(sums.odd & 0xffff);
    totals[2] += (int32_t)sums.even >> 16;
    totals[3] += (int32_t)sums.odd >> 16;
}

/** totals[c] += in[p][c] over c < 4 and any number of pixels */
static inline void tess_add_pixels4(int32_t totals[4], const int8_t *in, int32_t pixels, int32_t step)
{
    for (int32_t left = pixels; left > 0; left -= TESS_PAIR_PIXELS, in += TESS_PAIR_PIXELS * step) {
        const tess_channel_sums_t none = {0, 0};
        tess_add_sums4(totals, tess_sum_pixels4(none, in, tess_min(left, TESS_PAIR_PIXELS), step));
    }
}

/** sums[c] += in[p][c] over p < pixels, c < channels */
static inline void tess_add_raw_pixels(int32_t *sums, const int8_t *in, int32_t pixels, int32_t channels)
{
    int32_t c = 0;

    for (; c + 4 <= channels; c += 4) {
        tess_add_pixels4(sums + c, in + c, pixels, channels);
    }
    for (; c < channels; ++c) {
        for (int32_t p = 0; p < pixels; ++p) {
            sums[c] += in[p * channels + c];
        }
    }
}

static inline void tess_fill_sums(int32_t *sums, int32_t channels, int32_t value)
{
    for (int32_t c = 0; c < channels; ++c) {
        sums[c] = value;
    }
}

#endif
