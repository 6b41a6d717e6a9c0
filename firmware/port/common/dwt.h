/** The chips' cycle counter (DWT CYCCNT) as the port's counter. Included by one file of each chip. */
#ifndef TESSERA_DWT_H
#define TESSERA_DWT_H

#include "port.h"
#include "scb.h"

const char tess_port_count_unit[] = "cycles";

static uint32_t dwt_wraps, dwt_last;

static inline void dwt_init(void)
{
    SCB_DEMCR |= 1u << 24;
    DWT_LAR = 0xc5acce55; /* the M7's lock; nothing on the M4 */
    DWT_CYCCNT = 0;
    DWT_CTRL |= 1;
}

void tess_port_count_start(void)
{
    DWT_CYCCNT = 0;
    dwt_wraps = 0;
    dwt_last = 0;
}

uint64_t tess_port_count(void)
{
    uint32_t now = DWT_CYCCNT;
    dwt_wraps += now < dwt_last;
    dwt_last = now;
    return (uint64_t)dwt_wraps << 32 | now;
}

#endif
