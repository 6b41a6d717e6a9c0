/* From reset to the host runner's main() on QEMU's mps2-an386: files by semihosting, a counter of instructions. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "count.h"

#define REG(address) (*(volatile uint32_t *)(address))
/* CMSDK timer 0 (Arm DDI 0479, chapter 4) counts down at 25 MHz. */
#define TIMER_CTRL REG(0x40000000)
#define TIMER_VALUE REG(0x40000004)
#define TIMER_RELOAD REG(0x40000008)
#define SCB_SHCSR REG(0xe000ed24)
#define SCB_CFSR REG(0xe000ed28)
#define MPU_CTRL REG(0xe000ed94)
#define MPU_RNR REG(0xe000ed98)
#define MPU_RBAR REG(0xe000ed9c)
#define MPU_RASR REG(0xe000eda0)

enum { BUFFER_BYTES = 1 << 16 };

extern uint32_t cross_stack;
int main(void);
int posix_memalign(void **to, size_t align, size_t bytes);
void initialise_monitor_handles(void); /* newlib's semihosting */
void cross_reset(void);
void cross_fault(void);
_Noreturn void cross_fault_report(const uint32_t *frame);

/* A store to constants is a fault, as on a chip: QEMU's code memory is RAM. */
static void protect_flash(void)
{
    MPU_RNR = 0;
    MPU_RBAR = 0;
    MPU_RASR = 6u << 24 | 21u << 1 | 1u; /* 4 MB, read only, executable */
    MPU_CTRL = 4u | 1u;                  /* the default map for everything else */
    __asm volatile("dsb\n isb" ::: "memory");
}

/* With -icount shift=6 an instruction takes 64 ns of QEMU's time, a tick is 40 ns. */
uint64_t tess_runner_count(void)
{
    static uint64_t ticks;
    static uint32_t last;
    const uint32_t now = UINT32_MAX - TIMER_VALUE;

    ticks += now - last;
    last = now;
    return ticks * 40 / 64;
}

/* newlib's aligned_alloc calls it and has none. */
int posix_memalign(void **to, size_t align, size_t bytes)
{
    *to = memalign(align, bytes);
    return *to == NULL ? ENOMEM : 0;
}

static void open_files(void)
{
    initialise_monitor_handles();
    if (freopen("question", "rb", stdin) == NULL || freopen("answer", "wb", stdout) == NULL) {
        exit(EXIT_FAILURE);
    }
    setvbuf(stdin, NULL, _IOFBF, BUFFER_BYTES);
    setvbuf(stdout, NULL, _IOFBF, BUFFER_BYTES);
}

__attribute__((used)) static _Noreturn void start(void)
{
    SCB_SHCSR |= 7u << 16; /* memory, bus and usage faults on */
    protect_flash();
    TIMER_RELOAD = UINT32_MAX;
    TIMER_VALUE = UINT32_MAX;
    TIMER_CTRL = 1;
    open_files();
    exit(main());
}

__attribute__((naked)) void cross_reset(void)
{
    __asm volatile("ldr r0, =0xe000ed88\n" /* CPACR: the FPU before any compiled code */
                   "ldr r1, [r0]\n"
                   "orr r1, r1, #0x00f00000\n"
                   "str r1, [r0]\n"
                   "dsb\n"
                   "isb\n"
                   "b start\n"
                   ".ltorg\n");
}

_Noreturn void cross_fault_report(const uint32_t *frame)
{
    fprintf(stderr, "fault at 0x%08lx, called from 0x%08lx, CFSR 0x%08lx\n", frame[6], frame[5], SCB_CFSR);
    _Exit(EXIT_FAILURE);
}

__attribute__((naked)) void cross_fault(void)
{
    __asm volatile("mov r0, sp\n"
                   "b cross_fault_report\n");
}

__attribute__((section(".vectors"), used)) void (*const cross_vectors[16])(void) = {
    [0] = (void (*)(void))(uintptr_t)&cross_stack,
    [1] = cross_reset,
    [2 ... 15] = cross_fault,
};
