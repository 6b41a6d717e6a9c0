/**
 * Pools with the DSP instructions of Armv7E-M, four channels at a time; bit-exact with pool2d.h and spans.h, whose
 * structs and rules hold. At least 4 channels. A mean's window holds at most 256 pixels.
 */
#ifndef TESSERA_POOL2D_DSP_H
#define TESSERA_POOL2D_DSP_H

#include "tessera/pool2d.h"
#include "tessera/spans.h"

void tess_avg_pool2d_s8__dsp(const tess_pool2d_s8_t *op, const int8_t *in, int8_t *out);
void tess_max_pool2d_s8__dsp(const tess_pool2d_s8_t *op, const int8_t *in, int8_t *out);

void tess_avg_pool2d_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                  int8_t *out, void *scratch);
void tess_max_pool2d_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                  int8_t *out, void *scratch);

/** Any number of channels and pixels. */
void tess_avg_pool2d_map_span_s8__dsp(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin,
                                      int32_t x_end, int8_t *out, void *scratch);

#endif
