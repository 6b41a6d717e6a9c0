/* Every exception that nobody expected ends here: a record, a report, the end. */
#include <string.h>

#include "port.h"
#include "scb.h"
#include "tessera/status.h"

extern uint32_t _stack_low, _stack_high;
extern uint8_t _guard;

tess_fault_t tess_fault __attribute__((section(".noinit")));
volatile int32_t tess_fault_step = -1;

/* CFSR: bits of the memory, bus and usage parts that matter here */
#define CFSR_MMFSR 0x000000ffu
#define CFSR_BFSR 0x0000ff00u
#define CFSR_UFSR 0xffff0000u
#define CFSR_STACKING 0x00001010u /* MSTKERR, STKERR: the exception frame could not be stored */
#define CFSR_MMARVALID 0x00000080u
#define CFSR_BFARVALID 0x00008000u

void tess_fault_entry(void);
void tess_fault_handle(const uint32_t *frame, uint32_t exception);

__attribute__((naked)) void tess_fault_entry(void)
{
    __asm volatile("tst lr, #4\n"
                   "ite eq\n"
                   "mrseq r0, msp\n"
                   "mrsne r0, psp\n"
                   "mrs r1, ipsr\n"
                   "b tess_fault_handle\n");
}

/* Accesses below the stack, as far as one large frame may reach, are an overflow of it. */
static int below_stack(uint32_t address)
{
    uint32_t low = (uint32_t)(uintptr_t)&_stack_low;
    return address < low && low - address <= 0x10000;
}

static const char *kind_of(const tess_fault_t *fault, uint32_t stack_pointer)
{
    if (below_stack(stack_pointer) || (fault->address != 0 && below_stack(fault->address)) ||
        (fault->cfsr & CFSR_STACKING)) {
        return "stack overflow";
    }
    if (fault->exception == 2) {
        return "non-maskable interrupt";
    }
    if (fault->exception > 6) {
        return "unexpected interrupt";
    }
    if (fault->cfsr & CFSR_MMFSR) {
        return "memory fault";
    }
    if (fault->cfsr & CFSR_BFSR) {
        return "bus fault";
    }
    if (fault->cfsr & CFSR_UFSR) {
        return "usage fault";
    }
    return "hard fault";
}

static _Noreturn void report_and_stop(void)
{
    tess_fault.step = tess_fault_step;
    tess_fault.magic = TESS_FAULT_MAGIC;
    tess_fault_report(&tess_fault);
    tess_port_stop(40 + (int)tess_fault.exception);
}

void tess_fault_handle(const uint32_t *frame, uint32_t exception)
{
    uint32_t cfsr = SCB_CFSR;
    uint32_t stack_pointer = (uint32_t)(uintptr_t)frame;
    memset(&tess_fault, 0, sizeof tess_fault);
    tess_fault.exception = exception & 0x1ff;
    tess_fault.cfsr = cfsr;
    tess_fault.address = cfsr & CFSR_MMARVALID ? SCB_MMFAR : cfsr & CFSR_BFARVALID ? SCB_BFAR : 0;
    if (!(cfsr & CFSR_STACKING) && frame >= &_stack_low && frame + 8 <= &_stack_high) {
        tess_fault.lr = frame[5];
        tess_fault.pc = frame[6];
    }
    strncpy(tess_fault.kind, kind_of(&tess_fault, stack_pointer), sizeof tess_fault.kind - 1);
    report_and_stop();
}

#if defined(TESS_ASSERT_ENABLED)
_Noreturn void tess_panic(const char *file, int line)
{
    const char *name = strrchr(file, '/');
    memset(&tess_fault, 0, sizeof tess_fault);
    tess_fault.pc = (uint32_t)(uintptr_t)__builtin_return_address(0);
    tess_fault.line = line;
    strncpy(tess_fault.text, name ? name + 1 : file, sizeof tess_fault.text - 1);
    strncpy(tess_fault.kind, "assertion", sizeof tess_fault.kind - 1);
    report_and_stop();
}
#endif
