/** Status codes and assertions of the Tessera runtime. */
#ifndef TESSERA_STATUS_H
#define TESSERA_STATUS_H

/** Result of a call that can fail for reasons outside the program's control. */
typedef enum {
    TESS_OK = 0,
    TESS_ERR_ABI = -1,   /**< model generated for another runtime ABI */
    TESS_ERR_ARENA = -2, /**< a memory is missing, too small or misaligned */
    TESS_ERR_INPUT = -3, /**< an input is pulled, and input_row is missing or failed */
} tess_status_t;

/** Checks a bug in the caller, never an input from outside. Costs nothing in release builds. */
#if defined(TESS_ASSERT_ENABLED)
_Noreturn void tess_panic(const char *file, int line); /**< supplied by the port */
#define TESS_ASSERT(cond) ((cond) ? (void)0 : tess_panic(__FILE__, __LINE__))
#else
#define TESS_ASSERT(cond) ((void)sizeof(cond))
#endif

#endif
