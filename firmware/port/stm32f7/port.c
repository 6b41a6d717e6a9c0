/* STM32F746 on 32F746GDISCOVERY (ST RM0385): HSI 16 MHz, USART1 on PA9 and PB7, which ST-LINK passes on. Not yet run.
 */
#include "port.h"
#include "scb.h"

#define USART_BASE 0x40011000u
#include "dwt.h"
#include "usart_v2.h"

#define RCC_AHB1ENR TESS_REG(0x40023830)
#define RCC_APB2ENR TESS_REG(0x40023844)
#define GPIOA_MODER TESS_REG(0x40020000)
#define GPIOA_AFRH TESS_REG(0x40020024)
#define GPIOB_MODER TESS_REG(0x40020400)
#define GPIOB_AFRL TESS_REG(0x40020420)

void tess_port_init(void)
{
    RCC_AHB1ENR |= 3u;
    RCC_APB2ENR |= 1u << 4;
    (void)RCC_APB2ENR; /* two cycles until the clock runs */
    GPIOA_MODER = (GPIOA_MODER & ~(3u << 18)) | 2u << 18;
    GPIOA_AFRH = (GPIOA_AFRH & ~0xf0u) | 0x70u;
    GPIOB_MODER = (GPIOB_MODER & ~(3u << 14)) | 2u << 14;
    GPIOB_AFRL = (GPIOB_AFRL & ~(15u << 28)) | 7u << 28;
    usart_init();
    dwt_init();
}
