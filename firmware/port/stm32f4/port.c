/* STM32F446 on Nucleo-F446RE (ST RM0390): HSI 16 MHz, USART2 on PA2 and PA3, which ST-LINK passes on. Not yet run. */
#include "port.h"
#include "scb.h"

#include "dwt.h"

#define RCC_AHB1ENR TESS_REG(0x40023830)
#define RCC_APB1ENR TESS_REG(0x40023840)
#define GPIOA_MODER TESS_REG(0x40020000)
#define GPIOA_AFRL TESS_REG(0x40020020)
#define USART2_SR TESS_REG(0x40004400) /* bit 5: byte received, bit 7: transmit buffer empty */
#define USART2_DR TESS_REG(0x40004404)
#define USART2_BRR TESS_REG(0x40004408)
#define USART2_CR1 TESS_REG(0x4000440c)

enum { BAUD = 115200, PUT_TRIES = 1000000 };

void tess_port_init(void)
{
    RCC_AHB1ENR |= 1u;
    RCC_APB1ENR |= 1u << 17;
    (void)RCC_APB1ENR; /* two cycles until the clock runs */
    GPIOA_MODER = (GPIOA_MODER & ~0xf0u) | 0xa0u;
    GPIOA_AFRL = (GPIOA_AFRL & ~0xff00u) | 0x7700u;
    USART2_BRR = (uint32_t)(F_CPU) / BAUD;
    USART2_CR1 = 1u << 13 | 1u << 3 | 1u << 2;
    dwt_init();
}

int tess_port_get(void)
{
    return USART2_SR & 0x20 ? (int)(USART2_DR & 0xff) : -1;
}

void tess_port_put(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        for (int tries = 0; !(USART2_SR & 0x80) && tries < PUT_TRIES; tries++) {
        }
        USART2_DR = data[i];
    }
}
