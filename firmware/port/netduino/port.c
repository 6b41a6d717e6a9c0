/* QEMU's netduinoplus2, an STM32F405: USART1 and TIM2 (ST RM0090). It has no clock controller to set up. */
#include "port.h"
#include "scb.h"

#define USART_SR TESS_REG(0x40011000) /* bit 5: byte received, bit 7: transmit buffer empty */
#define USART_DR TESS_REG(0x40011004)
#define USART_CR1 TESS_REG(0x4001100c)
#define TIM2_CR1 TESS_REG(0x40000000)
#define TIM2_EGR TESS_REG(0x40000014)
#define TIM2_CNT TESS_REG(0x40000024)
#define TIM2_PSC TESS_REG(0x40000028)
#define TIM2_ARR TESS_REG(0x4000002c)

enum { PUT_TRIES = 1000000 };

const char tess_port_count_unit[] = "instructions";

static uint32_t wraps, last;

void tess_port_init(void)
{
    USART_CR1 = 1u << 13 | 1u << 3 | 1u << 2;
    /* QEMU's timer runs at 1 GHz, an instruction takes 64 ns of virtual time with -icount shift=6 */
    TIM2_PSC = 63;
    TIM2_ARR = UINT32_MAX;
    TIM2_EGR = 1;
    TIM2_CR1 = 1;
}

int tess_port_get(void)
{
    return USART_SR & 0x20 ? (int)(USART_DR & 0xff) : -1;
}

void tess_port_put(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        for (int tries = 0; !(USART_SR & 0x80) && tries < PUT_TRIES; tries++) {
        }
        USART_DR = data[i];
    }
}

void tess_port_count_start(void)
{
    TIM2_CNT = 0;
    wraps = 0;
    last = 0;
}

uint64_t tess_port_count(void)
{
    uint32_t now = TIM2_CNT;
    wraps += now < last;
    last = now;
    return (uint64_t)wraps << 32 | now;
}
