/** Registers of the Cortex-M system control space that we use (Armv7-M Architecture Reference Manual, B3.2). */
#ifndef TESSERA_SCB_H
#define TESSERA_SCB_H

#include <stdint.h>

#define TESS_REG(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define SCB_CCR TESS_REG(0xe000ed14)
#define SCB_SHCSR TESS_REG(0xe000ed24)
#define SCB_CFSR TESS_REG(0xe000ed28)
#define SCB_HFSR TESS_REG(0xe000ed2c)
#define SCB_MMFAR TESS_REG(0xe000ed34)
#define SCB_BFAR TESS_REG(0xe000ed38)
#define SCB_MPU_CTRL TESS_REG(0xe000ed94)
#define SCB_MPU_RNR TESS_REG(0xe000ed98)
#define SCB_MPU_RBAR TESS_REG(0xe000ed9c)
#define SCB_MPU_RASR TESS_REG(0xe000eda0)
#define SCB_DEMCR TESS_REG(0xe000edfc)
#define DWT_CTRL TESS_REG(0xe0001000)
#define DWT_CYCCNT TESS_REG(0xe0001004)
#define DWT_LAR TESS_REG(0xe0001fb0)

#endif
