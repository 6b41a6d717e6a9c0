/** Sums of products of fully_connected_dots_s8.S, of four output channels and of one. */
#ifndef TESSERA_DSP_FULLY_CONNECTED_DOTS_S8_H
#define TESSERA_DSP_FULLY_CONNECTED_DOTS_S8_H

#include <stdint.h>

/**
 * sums[c] += the dot product of a chunk's weights of channel c and `words` >= 1 words of input, for the channels of a
 * group. weights: the chunk, see fully_connected_dsp.h; @return its end.
 *
 * x: the input's bytes at any address, or (expanded) both words that the kernels make of each of its words.
 */
typedef const int32_t *tess_dot_s8_t(const int32_t *weights, const void *x, int32_t words, int32_t *sums);

tess_dot_s8_t tess_dot4_s8__dsp, tess_dot1_s8__dsp;
tess_dot_s8_t tess_dot4_expanded_s8__dsp, tess_dot1_expanded_s8__dsp;

#endif
