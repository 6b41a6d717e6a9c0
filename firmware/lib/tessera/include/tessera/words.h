/** Copies of bytes in words: newlib's small memcpy goes byte by byte. */
#ifndef TESSERA_WORDS_H
#define TESSERA_WORDS_H

#include <stdint.h>
#include <string.h>

/** to and from must not overlap. memcpy of 4 is one load or store where words may lie at any byte, as on Armv7-M. */
static inline void tess_copy_bytes(int8_t *restrict to, const int8_t *restrict from, int32_t bytes)
{
    int32_t i = 0;

    for (; i + 4 <= bytes; i += 4) {
        uint32_t word;
        memcpy(&word, from + i, sizeof word);
        memcpy(to + i, &word, sizeof word);
    }
    for (; i < bytes; ++i) {
        to[i] = from[i];
    }
}

#endif
