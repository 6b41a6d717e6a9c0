#include "tessera/stage.h"

#include <string.h>

#include "tessera/status.h"
#include "tessera/tess_math.h"
#include "tessera/window.h"
#include "tessera/words.h"

/* Where a stage stands. */
typedef struct {
    const tess_stage_t *stage;
    const tess_memory_t *memories;
    const tess_calls_t *calls;
    int32_t row_tick, col_tick;
} tick_t;

/* Where the rows of a map lie at one tick. */
typedef struct {
    const tess_map_t *map;
    int8_t *lines;                          /* slot 0 */
    int8_t *window;                         /* where pixel (0, 0) of the map lies or would lie */
    int32_t window_begin;                   /* rows from here on lie in the window */
    int32_t line_elements, window_elements; /* from row to row */
} view_t;

static bool fires(const tess_sweep_t *sweep, int32_t tick)
{
    return tick >= sweep->phase && (tick - sweep->phase) % sweep->period == 0;
}

static bool fires_first(const tess_sweep_t *sweep, int32_t tick)
{
    return tick == sweep->phase;
}

static bool fires_last(const tess_sweep_t *sweep, int32_t tick, int32_t ticks)
{
    return tick + sweep->period >= ticks;
}

/* What a map computes at a tick at which it fires, not cut to the map. */
static tess_span_t span_at(const tess_sweep_t *sweep, int32_t tick)
{
    const int32_t begin = sweep->begin + (tick - sweep->phase) / sweep->period * sweep->step;
    const tess_span_t span = {begin, begin + sweep->size};

    return span;
}

static tess_span_t cut(tess_span_t span, int32_t size)
{
    const tess_span_t inside = {tess_max(span.begin, 0), tess_min(span.end, size)};

    return inside;
}

static int8_t *place(const tick_t *tick, tess_place_t at)
{
    return (int8_t *)tess_at(tick->memories, at);
}

static view_t view_of(const tick_t *tick, const tess_map_t *map)
{
    const int32_t c = map->shape.c;
    view_t view = {.map = map, .window_begin = map->shape.h, .line_elements = map->shape.w * c};

    if (map->lines > 0 && map->constant == NULL) {
        view.lines = place(tick, map->lines_at);
    }
    if (map->windowed) {
        const int32_t y = span_at(&map->rows, tick->row_tick).begin, x = span_at(&map->cols, tick->col_tick).begin;
        view.window_begin = y;
        view.window_elements = (map->left + map->cols.size) * c;
        view.window = place(tick, map->window_at) - y * view.window_elements + (map->left - x) * c;
    }
    return view;
}

static int8_t *line(const view_t *view, int32_t y)
{
    TESS_ASSERT(view->lines != NULL);
    return view->lines + (y < view->map->lines ? y : y % view->map->lines) * view->line_elements;
}

/* Column 0 of row y. */
static int8_t *row_to_write(const view_t *view, int32_t y)
{
    return view->map->windowed ? view->window + y * view->window_elements : line(view, y);
}

static const int8_t *row_to_read(const view_t *view, int32_t y)
{
    if (y < 0 || y >= view->map->shape.h) {
        return NULL;
    }
    if (view->map->constant != NULL) {
        return view->map->constant + y * view->line_elements;
    }
    return y >= view->window_begin ? view->window + y * view->window_elements : line(view, y);
}

static void tell(const tick_t *tick, tess_event_t event, const tess_piece_t *piece)
{
    if (tick->calls->hook != NULL) {
        tick->calls->hook(tick->calls->user, event, piece);
    }
}

static void compute_row(const tick_t *tick, const tess_node_t *node, const view_t *sources, const tess_map_t *map,
                        int32_t y, tess_span_t x, int8_t *out)
{
    const int8_t *rows[TESS_MAX_KERNEL_H];
    tess_piece_t piece = {.step = node->step, .y = y, .x_begin = x.begin, .x_end = x.end};
    int32_t count = 0;

    for (int32_t s = 0; s < node->source_count; ++s) {
        const tess_source_t *source = &node->sources[s];
        const int32_t first = source->first != NULL ? source->first[y] : y * source->stride - source->pad;
        TESS_ASSERT(count + source->count <= TESS_MAX_KERNEL_H);
        for (int32_t i = 0; i < source->count; ++i) {
            rows[count++] = row_to_read(&sources[s], first + i);
        }
    }
    tell(tick, TESS_PIECE_BEGIN, &piece);
    node->kernel(node->op, rows, y, x.begin, x.end, out, tess_at(tick->memories, tick->stage->scratch_at));
    if (!node->reduces) {
        piece.data = out;
        piece.bytes = (uint32_t)((x.end - x.begin) * map->shape.c);
    } else if (y == map->shape.h - 1 && x.end == map->shape.w) { /* the result: one pixel */
        piece.y = piece.x_begin = 0;
        piece.x_end = 1;
        piece.data = out;
        piece.bytes = (uint32_t)map->shape.c;
    }
    tell(tick, TESS_PIECE_END, &piece);
}

static void compute(const tick_t *tick, const tess_node_t *node, const view_t *view, tess_span_t rows, tess_span_t x)
{
    view_t sources[TESS_MAX_SOURCES];

    TESS_ASSERT(node->source_count > 0 && node->source_count <= TESS_MAX_SOURCES);
    for (int32_t s = 0; s < node->source_count; ++s) {
        sources[s] = view_of(tick, &tick->stage->maps[node->sources[s].map]);
    }
    for (int32_t y = rows.begin; y < rows.end; ++y) {
        int8_t *out = node->reduces ? view->lines : row_to_write(view, y) + x.begin * view->map->shape.c;
        compute_row(tick, node, sources, view->map, y, x, out);
    }
}

static tess_status_t pull(const tick_t *tick, int32_t input, const view_t *view, tess_span_t rows, tess_span_t x)
{
    const tess_calls_t *calls = tick->calls;

    for (int32_t y = rows.begin; y < rows.end; ++y) {
        int8_t *out = row_to_write(view, y) + x.begin * view->map->shape.c;
        if (calls->input_row == NULL || calls->input_row(calls->user, (uint32_t)input, y, x.begin, x.end, out) != 0) {
            return TESS_ERR_INPUT;
        }
    }
    return TESS_OK;
}

/* Brings back, or puts away, the columns of a window that the span after needs: every row, seen by the map or not. */
static void restore_left(const tick_t *tick, const tess_map_t *map)
{
    const int32_t bytes = map->left * map->shape.c, row_bytes = (map->left + map->cols.size) * map->shape.c;

    for (int32_t i = 0; i < map->rows.size; ++i) {
        tess_copy_bytes(place(tick, map->window_at) + i * row_bytes, place(tick, map->left_at) + i * bytes, bytes);
    }
}

static void save_left(const tick_t *tick, const tess_map_t *map)
{
    const int32_t bytes = map->left * map->shape.c, row_bytes = (map->left + map->cols.size) * map->shape.c;
    const int8_t *window = place(tick, map->window_at) + map->cols.step * map->shape.c;

    for (int32_t i = 0; i < map->rows.size; ++i) {
        tess_copy_bytes(place(tick, map->left_at) + i * bytes, window + i * row_bytes, bytes);
    }
}

/* Copies to the lines the columns that no later span of this sweep reads or computes again, then saves the left ones.
 * Up to then the slot of a row holds columns of a row above that later spans still read. */
static void retire(const tick_t *tick, const tess_map_t *map)
{
    const view_t view = view_of(tick, map);
    const tess_span_t rows = span_at(&map->rows, tick->row_tick), x = span_at(&map->cols, tick->col_tick);
    const bool first = fires_first(&map->cols, tick->col_tick);
    const bool last = fires_last(&map->cols, tick->col_tick, tick->stage->col_ticks);
    const tess_span_t done = {first ? 0 : x.begin - map->left,
                              last ? map->shape.w : x.begin + map->cols.step - map->left};
    const tess_span_t columns = cut(done, map->shape.w);
    const int32_t bytes = (columns.end - columns.begin) * map->shape.c, at = columns.begin * map->shape.c;
    const tess_span_t kept = cut((tess_span_t){tess_max(rows.begin, rows.end - map->lines), rows.end}, map->shape.h);

    for (int32_t y = kept.begin; bytes > 0 && y < kept.end; ++y) {
        tess_copy_bytes(line(&view, y) + at, row_to_read(&view, y) + at, bytes);
    }
    if (map->left > 0 && !last) {
        save_left(tick, map);
    }
}

/* Of a map that fires at this tick. */
static tess_status_t act(const tick_t *tick, const tess_action_t *action)
{
    const tess_map_t *map = &tick->stage->maps[action->map];

    if (action->kind == TESS_ACTION_RETIRE) {
        retire(tick, map);
        return TESS_OK;
    }
    const tess_span_t rows = cut(span_at(&map->rows, tick->row_tick), map->shape.h);
    const tess_span_t x = cut(span_at(&map->cols, tick->col_tick), map->shape.w);
    const view_t view = view_of(tick, map);
    if (map->windowed && map->left > 0 && !fires_first(&map->cols, tick->col_tick)) {
        restore_left(tick, map); /* also where nothing is computed: others may still read them */
    }
    if (x.begin >= x.end) {
        return TESS_OK;
    }
    if (action->kind == TESS_ACTION_PULL) {
        return pull(tick, action->node, &view, rows, x);
    }
    compute(tick, &tick->stage->nodes[action->node], &view, rows, x);
    return TESS_OK;
}

/* Sets a bit for each action whose map fires at this tick of rows. */
static void find_actions(const tick_t *tick, uint32_t in_row[TESS_MAX_ACTIONS / 32])
{
    const tess_stage_t *stage = tick->stage;

    memset(in_row, 0, TESS_MAX_ACTIONS / 8);
    for (int32_t i = 0; i < stage->action_count; ++i) {
        if (fires(&stage->maps[stage->actions[i].map].rows, tick->row_tick)) {
            in_row[i / 32] |= (uint32_t)1 << (i % 32);
        }
    }
}

/* Carries out the actions among `in_row` whose maps fire at this tick of columns too. */
static tess_status_t run_tick(const tick_t *tick, const uint32_t in_row[TESS_MAX_ACTIONS / 32])
{
    const tess_stage_t *stage = tick->stage;

    for (int32_t word = 0; word * 32 < stage->action_count; ++word) {
        for (uint32_t left = in_row[word]; left != 0; left &= left - 1) {
            const tess_action_t *action = &stage->actions[word * 32 + __builtin_ctz(left)];
            if (fires(&stage->maps[action->map].cols, tick->col_tick)) {
                const tess_status_t status = act(tick, action);
                if (status != TESS_OK) {
                    return status;
                }
            }
        }
    }
    return TESS_OK;
}

tess_status_t tess_stage_run(const tess_stage_t *stage, const tess_memory_t *memories, const tess_calls_t *calls)
{
    tick_t tick = {.stage = stage, .memories = memories, .calls = calls};

    TESS_ASSERT(stage->action_count <= TESS_MAX_ACTIONS);
    for (tick.row_tick = 0; tick.row_tick < stage->row_ticks; ++tick.row_tick) {
        uint32_t in_row[TESS_MAX_ACTIONS / 32];
        find_actions(&tick, in_row);
        for (tick.col_tick = 0; tick.col_tick < stage->col_ticks; ++tick.col_tick) {
            const tess_status_t status = run_tick(&tick, in_row);
            if (status != TESS_OK) {
                return status;
            }
        }
    }
    return TESS_OK;
}
