/* From reset to the application: vectors, memory, FPU, stack, guard. */
#include <string.h>

#include "port.h"
#include "scb.h"

extern uint8_t _data, _data_end, _data_load, _bss, _bss_end, _guard;
extern uint32_t _stack_low, _stack_high;

void tess_reset(void);
void tess_fault_entry(void);

/* Exceptions have a stack of their own, so that a fault is reported even when the application's stack is gone. */
static uint64_t fault_stack[96];

#define PAINT 0xa5a5a5a5u
/* what the paint leaves below the caller's frame */
enum { PAINT_GAP_WORDS = 16 };

/* A normal-memory MPU region that nobody may access: 2^(log2_bytes) bytes at a multiple of that. */
static void no_access(uint32_t region, uint32_t base, uint32_t log2_bytes)
{
    SCB_MPU_RNR = region;
    SCB_MPU_RBAR = base;
    SCB_MPU_RASR = 1u << 28 | 1u << 19 | (log2_bytes - 1) << 1 | 1u;
}

/* Below the stack, 32 bytes; and below that, where the region of the stack begins, 32 KiB for frames that leap over
   them: not every simulator faults where there is no memory. */
static void stack_guard(void)
{
    uint32_t guard = (uint32_t)(uintptr_t)&_guard;
    no_access(0, guard, 5);
    if (guard % 0x8000 == 0) {
        no_access(1, guard - 0x8000, 15);
    }
    SCB_MPU_CTRL = 4u | 1u; /* the default map for everything else */
    __asm volatile("dsb\n isb" ::: "memory");
}

void tess_stack_paint(void)
{
    uint32_t *top;
    __asm volatile("mov %0, sp" : "=r"(top));
    for (uint32_t *at = &_stack_low; at < top - PAINT_GAP_WORDS; at++) {
        *at = PAINT;
    }
}

uint32_t tess_stack_used(void)
{
    const uint32_t *at = &_stack_low;
    while (at < &_stack_high && *at == PAINT) {
        at++;
    }
    return (uint32_t)((uintptr_t)&_stack_high - (uintptr_t)at);
}

/* With the application's stack in use. */
__attribute__((used)) static _Noreturn void start(void)
{
    memcpy(&_data, &_data_load, (size_t)(&_data_end - &_data));
    memset(&_bss, 0, (size_t)(&_bss_end - &_bss));
    tess_stack_paint();
    stack_guard();
    SCB_SHCSR |= 7u << 16; /* memory, bus and usage faults on */
    SCB_CCR |= 1u << 4;    /* division by zero is a fault */
    tess_port_init();
    __asm volatile("cpsie i"); /* with interrupts off every fault would be a hard fault */
    tess_main();
}

__attribute__((naked)) void tess_reset(void)
{
    __asm volatile("cpsid i\n"
                   "ldr r0, =0xe000ed88\n" /* CPACR: the FPU before any compiled code */
                   "ldr r1, [r0]\n"
                   "orr r1, r1, #0x00f00000\n"
                   "str r1, [r0]\n"
                   "ldr r0, =0xe000ed08\n" /* VTOR */
                   "ldr r1, =tess_vectors\n"
                   "str r1, [r0]\n"
                   "ldr r0, =_stack_high\n"
                   "msr psp, r0\n"
                   "movs r0, #2\n" /* thread mode uses PSP */
                   "msr control, r0\n"
                   "dsb\n"
                   "isb\n"
                   "b start\n"
                   ".ltorg\n");
}

/* 16 of the core, and as many interrupts as the largest chip has (STM32H743: 150). */
__attribute__((section(".vectors"), used, aligned(1024))) void (*const tess_vectors[16 + 150])(void) = {
    [0] = (void (*)(void))(uintptr_t)&fault_stack[96],
    [1] = tess_reset,
    [2 ... 165] = tess_fault_entry,
};
