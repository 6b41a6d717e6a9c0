/**
 * A streamed stage: operators that advance together, a few rows and columns at a tick.
 *
 * Generated code says in constant tables what every map computes at each tick and where its rows lie
 * (tools/tessera/schedule/schedule.py: Sweep, MapPlan, Stage); tess_stage_run carries it out. The kernels are the row
 * kernels that also run layer by layer, so the bytes are the same in every schedule.
 */
#ifndef TESSERA_STAGE_H
#define TESSERA_STAGE_H

#include <stdbool.h>

#include "tessera/types.h"

/** Maps that one operator reads (CONCATENATION reads the most). */
#define TESS_MAX_SOURCES 8
/** Actions of a stage: a computation, a pull or a retirement each. */
#define TESS_MAX_ACTIONS 512

/**
 * How a map advances along one axis: it fires at ticks phase, phase + period, ...; the k-th time it computes
 * [begin + k * step, begin + k * step + size), cut to the map.
 */
typedef struct {
    int32_t period, phase, step, begin, size;
} tess_sweep_t;

/**
 * Where the rows of a map lie while its stage runs.
 *
 * lines > 0: row y, whole, in slot y % lines of [lines][shape.w][shape.c]; a whole map has lines == shape.h, a vector
 * that is the same for all rows lines == 1.
 * windowed: what was computed at this tick lies in [rows.size][left + cols.size][shape.c], behind `left` columns of the
 * span before; rows above it lie in the lines.
 */
typedef struct {
    tess_shape_t shape;
    tess_sweep_t rows, cols; /**< unused by a map that lies whole in memory when the stage begins */
    int32_t lines;
    tess_place_t lines_at;
    bool windowed;
    tess_place_t window_at;
    int32_t left;
    tess_place_t left_at;   /**< [rows.size][left][shape.c] from span to span */
    const int8_t *constant; /**< not NULL: the lines lie in flash */
} tess_map_t;

/**
 * Columns [x_begin, x_end) of row y of an operator's output: how a stage calls every kernel.
 *
 * op is the kernel's constant struct. rows[i] points at where column 0 of the i-th row of its window lies or would lie
 * (only the columns that the span needs are there), or is NULL where that row is outside the map; rows of several
 * sources follow each other. out points at column x_begin. scratch, aligned to TESS_BUFFER_ALIGN, is what the generator
 * knows the kernel to need, of unknown content.
 */
typedef void (*tess_span_kernel_t)(const void *op, const int8_t *const *rows, int32_t y, int32_t x_begin, int32_t x_end,
                                   int8_t *out, void *scratch);

/** The rows of one map that a row y of the output needs: `count` from y * stride - pad, or from first[y] if not NULL.
 */
typedef struct {
    int32_t map; /**< index into the stage's maps */
    int32_t count, stride, pad;
    const int32_t *first;
} tess_source_t;

typedef enum {
    TESS_ACTION_COMPUTE, /**< run a node for what its map computes at this tick */
    TESS_ACTION_PULL,    /**< ask input_row for what the map computes at this tick */
    TESS_ACTION_RETIRE,  /**< nobody reads this window any more at this tick: keep what later ticks need */
} tess_action_kind_t;

/** What happens at a tick, in order. An action is skipped at ticks at which its map does not fire. */
typedef struct {
    tess_action_kind_t kind;
    int32_t map;  /**< index into maps */
    int32_t node; /**< of COMPUTE: index into nodes; of PULL: index of the model's input */
} tess_action_t;

/** An operator. A reduction (mean over the map) runs over the pieces of `map`, whose shape and sweeps are its input's;
 * its result and running sums lie at the map's lines_at. */
typedef struct {
    tess_span_kernel_t kernel;
    const void *op;
    int32_t source_count;         /**< in [1, TESS_MAX_SOURCES] */
    const tess_source_t *sources; /**< their rows together at most TESS_MAX_KERNEL_H */
    bool reduces;
    uint32_t step; /**< index into the model's steps */
} tess_node_t;

typedef struct {
    int32_t row_ticks, col_ticks;
    tess_place_t scratch_at; /**< of all kernels that need some */
    int32_t action_count;    /**< at most TESS_MAX_ACTIONS */
    const tess_action_t *actions;
    const tess_map_t *maps;
    const tess_node_t *nodes;
} tess_stage_t;

/** @return TESS_OK, or TESS_ERR_INPUT when input_row is missing or fails. */
tess_status_t tess_stage_run(const tess_stage_t *stage, const tess_memory_t *memories, const tess_calls_t *calls);

#endif
