/**
 * Instructions of Armv7E-M (Cortex-M4, M7) as functions, for what C has no operator for. Names and operands are those
 * of the Arm Architecture Reference Manual; a pair is two int16 in one word, the first in its low half.
 *
 * In assembly, because arm_acle.h lacks some, and because a compiler that knows what they compute takes them apart.
 */
#ifndef TESSERA_DSP_INSTRUCTIONS_H
#define TESSERA_DSP_INSTRUCTIONS_H

#include <stdint.h>
#include <string.h>

/** sum + a.low * b.low + a.high * b.high */
static inline int32_t tess_smlad(uint32_t a, uint32_t b, int32_t sum)
{
    int32_t result;

    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/** Bytes 0 and 2 of a word as a pair. */
static inline uint32_t tess_sxtb16(uint32_t a)
{
    uint32_t result;

    __asm__("sxtb16 %0, %1" : "=r"(result) : "r"(a));
    return result;
}

/** Bytes 1 and 3 of a word as a pair. */
static inline uint32_t tess_sxtb16_high(uint32_t a)
{
    uint32_t result;

    __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(a));
    return result;
}

/** A pair of sums: pair and bytes 0 and 2 of a word. */
static inline uint32_t tess_sxtab16(uint32_t pair, uint32_t a)
{
    uint32_t result;

    __asm__("sxtab16 %0, %1, %2" : "=r"(result) : "r"(pair), "r"(a));
    return result;
}

/** A pair of sums: pair and bytes 1 and 3 of a word. */
static inline uint32_t tess_sxtab16_high(uint32_t pair, uint32_t a)
{
    uint32_t result;

    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(pair), "r"(a));
    return result;
}

/** The greater of each of four int8. One statement, because the flags of SSUB8 choose for SEL. */
static inline uint32_t tess_max8(uint32_t a, uint32_t b)
{
    uint32_t result, difference;

    __asm__("ssub8 %1, %2, %3\n\tsel %0, %2, %3" : "=r"(result), "=&r"(difference) : "r"(a), "r"(b));
    return result;
}

/** The smaller of each of four int8. */
static inline uint32_t tess_min8(uint32_t a, uint32_t b)
{
    uint32_t result, difference;

    __asm__("ssub8 %1, %2, %3\n\tsel %0, %3, %2" : "=r"(result), "=&r"(difference) : "r"(a), "r"(b));
    return result;
}

/** The high word of 2^32 * sum + a * b, rounded half up. */
static inline int32_t tess_smmlar(int32_t a, int32_t b, int32_t sum)
{
    int32_t result;

    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/** The high word of 2^32 * sum + a * b. */
static inline int32_t tess_smmla(int32_t a, int32_t b, int32_t sum)
{
    int32_t result;

    __asm__("smmla %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/** Cut to int8. */
static inline int32_t tess_ssat8(int32_t a)
{
    int32_t result;

    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(a));
    return result;
}

/** Four bytes at any address. Through memcpy: GCC joins two plain loads to an LDRD, which faults off word boundaries.
 */
static inline uint32_t tess_load_word(const void *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

static inline void tess_store_word(void *at, uint32_t word)
{
    memcpy(at, &word, sizeof word);
}

#endif
