/** Means over maps with the DSP instructions of Armv7E-M, bit-exact with mean.h and spans.h. */
#ifndef TESSERA_MEAN_DSP_H
#define TESSERA_MEAN_DSP_H

#include "tessera/mean.h"
#include "tessera/spans.h"

/** Over rows and columns. in [in.h][in.w][in.c], in.c >= 4, out [in.c]; they must not overlap. */
void tess_mean_map_s8__dsp(const tess_mean_map_s8_t *op, const int8_t *in, int8_t *out);
/** in.c >= 4 */
void tess_mean_of_means_s8__dsp(const tess_mean_of_means_s8_t *op, const int8_t *in, int8_t *out);

/* Piece by piece (spans.h), any number of channels. */
void tess_mean_map_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                int8_t *out, void *scratch);
void tess_mean_of_means_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin,
                                     int32_t x_end, int8_t *out, void *scratch);

#endif
