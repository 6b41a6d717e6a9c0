/** How a runner counts instructions. */
#ifndef TESSERA_HOST_COUNT_H
#define TESSERA_HOST_COUNT_H

#include <stdint.h>

/** Instructions executed so far, from any beginning; always 0 where nothing counts them. */
uint64_t tess_runner_count(void);

#endif
