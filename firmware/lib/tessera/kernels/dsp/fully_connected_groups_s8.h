/** Fully connected layers in groups of four output channels, and of one (fully_connected_groups_s8.S). */
#ifndef TESSERA_DSP_FULLY_CONNECTED_GROUPS_S8_H
#define TESSERA_DSP_FULLY_CONNECTED_GROUPS_S8_H

#include <stdint.h>

/** A row of input, and the output channels from out to out_end. The assembly knows the order of the fields, and moves
 * the pointers of the first line. */
typedef struct {
    const int32_t *bias, *multiplier;
    const int8_t *shift;
    int8_t *out, *out_end;         /**< whole groups */
    int32_t requant_step;          /**< 0: all channels have the multiplier and shift of the first one; 1 */
    int32_t offset;                /**< twice the output's zero point, and 1 */
    const void *x, *x_end;         /**< whole words: bytes of input, or (expanded) both words made of each of them */
    int32_t chunk_bytes;           /**< of x */
    const int8_t *last, *last_end; /**< bytes of input behind the whole words */
    int32_t sums[4];
} tess_fully_connected_groups_s8_t;

/** out saturated to int8. weights: of these groups, see fully_connected_dsp.h; @return their end. */
typedef const int32_t *tess_fully_connected_kernel_s8_t(const int32_t *weights, tess_fully_connected_groups_s8_t *run);

tess_fully_connected_kernel_s8_t tess_fully_connected4_s8__dsp, tess_fully_connected4_expanded_s8__dsp;
tess_fully_connected_kernel_s8_t tess_fully_connected1_s8__dsp, tess_fully_connected1_expanded_s8__dsp;

#endif
