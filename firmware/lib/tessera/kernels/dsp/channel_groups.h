/** Channels in groups of four; the last group overlaps the one before where their number is no multiple of 4. */
#ifndef TESSERA_DSP_CHANNEL_GROUPS_H
#define TESSERA_DSP_CHANNEL_GROUPS_H

#include <stdint.h>

/** First channel of the group after the one that begins with c; `channels` >= 4 after the last. */
static inline int32_t tess_next_group(int32_t c, int32_t channels)
{
    if (c + 4 >= channels) {
        return channels;
    }
    return c + 8 <= channels ? c + 4 : channels - 4;
}

#endif
