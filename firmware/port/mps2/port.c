/* QEMU's mps2-an386 and mps2-an500: CMSDK UART 0 and timer 0 (Arm DDI 0479, chapter 4). */
#include "port.h"
#include "scb.h"

#define UART_DATA TESS_REG(0x40004000)
#define UART_STATE TESS_REG(0x40004004) /* bit 0: transmit buffer full, bit 1: receive buffer full */
#define UART_CTRL TESS_REG(0x40004008)
#define UART_BAUDDIV TESS_REG(0x40004010)
#define TIMER_CTRL TESS_REG(0x40000000) /* bit 0: enable, bit 3: interrupt enable */
#define TIMER_VALUE TESS_REG(0x40000004)
#define TIMER_RELOAD TESS_REG(0x40000008)
#define TIMER_INTSTATUS TESS_REG(0x4000000c)

enum { PUT_TRIES = 1000000 };

const char tess_port_count_unit[] = "instructions";

static uint32_t wraps;

void tess_port_init(void)
{
    UART_BAUDDIV = 16;
    UART_CTRL = 3;
    /* QEMU looks for input again only when a byte is read; without this the first request waits a second */
    (void)UART_DATA;
}

int tess_port_get(void)
{
    return UART_STATE & 2 ? (int)(UART_DATA & 0xff) : -1;
}

void tess_port_put(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        for (int tries = 0; (UART_STATE & 1) && tries < PUT_TRIES; tries++) {
        }
        UART_DATA = data[i];
    }
}

void tess_port_count_start(void)
{
    TIMER_CTRL = 0;
    wraps = 0;
    TIMER_RELOAD = UINT32_MAX;
    TIMER_VALUE = UINT32_MAX;
    TIMER_INTSTATUS = 1;
    TIMER_CTRL = 1 | 8;
}

/* The timer runs at 25 MHz, an instruction takes 64 ns of QEMU's virtual time with -icount shift=6. */
uint64_t tess_port_count(void)
{
    uint32_t value = TIMER_VALUE;
    if (TIMER_INTSTATUS & 1) {
        TIMER_INTSTATUS = 1;
        wraps++;
        value = TIMER_VALUE;
    }
    uint64_t ticks = ((uint64_t)wraps << 32) + (UINT32_MAX - value);
    return ticks * 40 / 64;
}
