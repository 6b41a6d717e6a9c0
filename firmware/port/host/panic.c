#include <stdio.h>
#include <stdlib.h>

#include "tessera/status.h"

_Noreturn void tess_panic(const char *file, int line);

_Noreturn void tess_panic(const char *file, int line)
{
    fprintf(stderr, "%s:%d: TESS_ASSERT failed\n", file, line);
    abort();
}
