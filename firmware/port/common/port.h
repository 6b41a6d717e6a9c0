/** What the applications need from a chip or a simulator. One folder beside this one implements the first part. */
#ifndef TESSERA_PORT_H
#define TESSERA_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of each chip ------------------------------------------------------------------------------------------------- */

/** Clock, UART and counter. Called once, with .data and .bss ready. */
void tess_port_init(void);

/** The next byte from the UART, or -1. Never waits. */
int tess_port_get(void);

/** Sends data[bytes]. Waits a bounded time for each byte; a byte that the UART does not take by then is lost. */
void tess_port_put(const uint8_t *data, size_t bytes);

/** Sets the counter to zero. On simulators also its phase, so that the same code gives the same count. */
void tess_port_count_start(void);

/** Counts since tess_port_count_start; to be read at least once in 2^32 counts. */
uint64_t tess_port_count(void);

/** "instructions" on simulators, "cycles" on chips. */
extern const char tess_port_count_unit[];

/* Common to all ------------------------------------------------------------------------------------------------ */

/** The application. It does not return. */
_Noreturn void tess_main(void);

/** Ends the program: a simulator exits with this code, a chip sleeps until reset. */
_Noreturn void tess_port_stop(int code);

/** Fills the unused part of the stack with a pattern. */
void tess_stack_paint(void);

/** Most bytes of stack in use since tess_stack_paint. A local array that nobody wrote to is not seen. */
uint32_t tess_stack_used(void);

/** Index of the running step, for a fault record; -1 outside a run. */
extern volatile int32_t tess_fault_step;

/** A record of a fault. It survives a reset, to be sent again at the next boot. */
typedef struct {
    uint32_t magic; /**< TESS_FAULT_MAGIC if the rest is true */
    uint32_t exception;
    uint32_t pc, lr;  /**< 0 if the stack could not take them */
    uint32_t cfsr;    /**< SCB->CFSR, which says the cause */
    uint32_t address; /**< that was accessed, or 0 */
    int32_t step;
    int32_t line;  /**< of a failed assertion */
    char text[32]; /**< file of a failed assertion */
    char kind[24]; /**< "stack overflow", "bus fault", ... */
} tess_fault_t;

#define TESS_FAULT_MAGIC 0x7e55fa17u
extern tess_fault_t tess_fault;

/** The application's: sends the record. Called with interrupts off, on the fault stack. */
void tess_fault_report(const tess_fault_t *fault);

#if defined(TESS_SIMULATED)
/* Files of the host, read by semihosting: a way past the simulator's slow UART. */

/** @return a handle for reading, or -1 if the file cannot be opened. */
int32_t tess_semihost_open(const char *name);

/** @return bytes of the file, or -1 if they cannot be told. */
int32_t tess_semihost_size(int32_t file);

/** Reads data[bytes] from byte `offset` on. @return false unless all of it came. */
bool tess_semihost_read(int32_t file, uint32_t offset, void *data, uint32_t bytes);

void tess_semihost_close(int32_t file);
#endif

#endif
