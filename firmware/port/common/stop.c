/* Calls to the simulator: Arm semihosting 2.0, "BKPT 0xAB" with an operation in r0 and its arguments at r1. */
#if defined(TESS_SIMULATED)
#include <string.h>

#include "port.h"

enum { SYS_OPEN = 0x01, SYS_CLOSE = 0x02, SYS_READ = 0x06, SYS_SEEK = 0x0a, SYS_FLEN = 0x0c, SYS_EXIT_EXTENDED = 0x20 };
enum { OPEN_READ_BINARY = 1, APPLICATION_EXIT = 0x20026 };

static uint32_t call(uint32_t operation, const void *arguments)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = arguments;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

int32_t tess_semihost_open(const char *name)
{
    const uint32_t open[3] = {(uint32_t)(uintptr_t)name, OPEN_READ_BINARY, strlen(name)};
    return (int32_t)call(SYS_OPEN, open);
}

int32_t tess_semihost_size(int32_t file)
{
    return (int32_t)call(SYS_FLEN, &file);
}

bool tess_semihost_read(int32_t file, uint32_t offset, void *data, uint32_t bytes)
{
    const uint32_t seek[2] = {(uint32_t)file, offset};
    const uint32_t read[3] = {(uint32_t)file, (uint32_t)(uintptr_t)data, bytes};
    return call(SYS_SEEK, seek) == 0 && call(SYS_READ, read) == 0;
}

void tess_semihost_close(int32_t file)
{
    call(SYS_CLOSE, &file);
}

_Noreturn void tess_port_stop(int code)
{
    uint32_t exit[2] = {APPLICATION_EXIT, (uint32_t)code};
    for (;;) {
        call(SYS_EXIT_EXTENDED, exit);
    }
}
#else
#include "port.h"

_Noreturn void tess_port_stop(int code)
{
    (void)code;
    for (;;) {
        __asm volatile("cpsid i\n wfi");
    }
}
#endif
