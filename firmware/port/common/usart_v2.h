/** The USART of STM32F7 and H7 (ST RM0385, RM0433) at USART_BASE, polled. Included by one file of each chip. */
#ifndef TESSERA_USART_V2_H
#define TESSERA_USART_V2_H

#include "port.h"
#include "scb.h"

#define USART_CR1 TESS_REG(USART_BASE + 0x00)
#define USART_BRR TESS_REG(USART_BASE + 0x0c)
#define USART_ISR TESS_REG(USART_BASE + 0x1c) /* bit 3: overrun, bit 5: byte received, bit 7: transmit buffer empty */
#define USART_ICR TESS_REG(USART_BASE + 0x20)
#define USART_RDR TESS_REG(USART_BASE + 0x24)
#define USART_TDR TESS_REG(USART_BASE + 0x28)

enum { USART_BAUD = 115200, USART_PUT_TRIES = 1000000 };

static inline void usart_init(void)
{
    USART_BRR = (uint32_t)(F_CPU) / USART_BAUD;
    USART_CR1 = 1u << 3 | 1u << 2 | 1u;
}

int tess_port_get(void)
{
    uint32_t state = USART_ISR;
    if (state & 8) {
        USART_ICR = 8;
    }
    return state & 0x20 ? (int)(USART_RDR & 0xff) : -1;
}

void tess_port_put(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        for (int tries = 0; !(USART_ISR & 0x80) && tries < USART_PUT_TRIES; tries++) {
        }
        USART_TDR = data[i];
    }
}

#endif
