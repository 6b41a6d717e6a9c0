/* STM32H743 on NUCLEO-H743ZI2 (ST RM0433): HSI 64 MHz, USART3 on PD8 and PD9, which ST-LINK passes on. Not yet run. */
#include "port.h"
#include "scb.h"

#define USART_BASE 0x40004800u
#include "dwt.h"
#include "usart_v2.h"

#define RCC_AHB2ENR TESS_REG(0x580244dc)
#define RCC_AHB4ENR TESS_REG(0x580244e0)
#define RCC_APB1LENR TESS_REG(0x580244e8)
#define GPIOD_MODER TESS_REG(0x58020c00)
#define GPIOD_AFRH TESS_REG(0x58020c24)

void tess_port_init(void)
{
    RCC_AHB2ENR |= 7u << 29; /* SRAM1 to SRAM3 */
    RCC_AHB4ENR |= 1u << 3;
    RCC_APB1LENR |= 1u << 18;
    (void)RCC_APB1LENR; /* two cycles until the clock runs */
    GPIOD_MODER = (GPIOD_MODER & ~(15u << 16)) | 10u << 16;
    GPIOD_AFRH = (GPIOD_AFRH & ~0xffu) | 0x77u;
    usart_init();
    dwt_init();
}
