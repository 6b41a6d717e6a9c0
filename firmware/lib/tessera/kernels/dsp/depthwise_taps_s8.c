#include "tessera/depthwise_conv2d_dsp.h"

#include "instructions.h"
#include "tessera/status.h"
#include "tessera/tess_math.h"
#include "tessera/window.h"

typedef tess_depthwise_taps_s8_dsp_t op_t;

enum { MAX_KERNEL = 7 }; /* of op->pixels */

/* Output pixels of one row. */
typedef struct {
    const int8_t *const *rows; /* of the window, those inside the map */
    tess_depthwise_pixels_run_t run;
} line_t;

static uint32_t four_bytes(int32_t byte)
{
    return ((uint32_t)byte & 0xffu) * 0x01010101u;
}

static int32_t row_bytes(const op_t *op)
{
    return 4 * op->kernel_w;
}

/* rows: of the window, NULL outside the map. `channels` from those of the stream on. */
static line_t begin_line(const op_t *op, const int8_t *const *rows, int32_t pixel_bytes, const int32_t *stream,
                         int32_t channels)
{
    int32_t begin = 0, end = op->kernel_h;

    while (begin < end && rows[begin] == NULL) {
        ++begin;
    }
    while (end > begin && rows[end - 1] == NULL) {
        --end;
    }
    const int32_t *const whole_end = stream + channels / 4 * op->words;
    const tess_depthwise_pixels_run_t run = {
        .less_zero_point = ((uint32_t)-op->in_zero_point & 0xffffu) * 0x10001u,
        .pixel_bytes = pixel_bytes,
        .step_bytes = op->stride_w * pixel_bytes,
        .rows = end - begin,
        .stream = stream,
        .stop = whole_end,
        .whole_end = whole_end,
        .end = stream + (channels + 3) / 4 * op->words,
        .back_bytes = -channels & 3,
        .before_bytes = begin * row_bytes(op),
        .behind_bytes = (op->kernel_h - end) * row_bytes(op),
        .raise = four_bytes(255 - (op->max - op->min)),
        .settle = four_bytes(op->max - 255),
    };
    return (line_t){.rows = rows + begin, .run = run};
}

/* An output pixel whose window may be partly outside the map. */
static void run_window(const op_t *op, const line_t *line, int32_t x, int8_t *out)
{
    const int32_t first = x * op->stride_w - op->pad_left, paired = op->kernel_w / 2 * 2;
    const tess_span_t taps = tess_taps_inside(first, op->kernel_w, op->in.w);
    const int32_t rows = taps.begin < taps.end ? line->run.rows : 0, end = tess_min(taps.end, paired);
    tess_depthwise_pixels_run_t run = line->run;
    tess_depthwise_window_t window = {.rows_end = line->rows + rows, .padding = four_bytes(op->in_zero_point)};

    if (rows > 0) {
        const int32_t begin = tess_min(taps.begin, paired);
        window.head = begin % 2;
        window.tail = end > begin ? end % 2 : 0;
        window.pairs = end > begin ? end / 2 - (begin + 1) / 2 : 0;
        window.odd = taps.end > paired ? 1 : 0;
    }
    const int32_t used_bytes = 8 * (window.head + window.pairs + window.tail) + 4 * window.odd;
    const int32_t unused_bytes = 8 * (tess_min(taps.begin, paired) / 2);
    window.skip_bytes = row_bytes(op) - used_bytes;
    run.offset = (first + taps.begin) * run.pixel_bytes;
    run.out = out;
    if (rows > 0) {
        run.before_bytes += unused_bytes;
        run.behind_bytes -= unused_bytes;
    } else {
        run.behind_bytes = op->kernel_h * row_bytes(op) - run.before_bytes;
    }
    op->window(&run, line->rows, &window);
}

/* Output columns of [begin, end) whose windows lie inside the map from left to right. */
static tess_span_t inner_columns(const op_t *op, int32_t begin, int32_t end)
{
    const int32_t last = op->in.w - op->kernel_w + op->pad_left;
    const tess_span_t inner = {tess_max(begin, (op->pad_left + op->stride_w - 1) / op->stride_w),
                               last < 0 ? begin : tess_min(end, last / op->stride_w + 1)};

    return inner;
}

static void run_inner(const op_t *op, const line_t *line, tess_span_t x, int8_t *out)
{
    const int8_t *rows[MAX_KERNEL] = {0};
    tess_depthwise_pixels_run_t run = line->run;

    for (int32_t i = 0; i < run.rows; ++i) {
        rows[op->kernel_h - run.rows + i] = line->rows[i];
    }
    run.offset = (x.begin * op->stride_w - op->pad_left) * run.pixel_bytes;
    run.count = x.end - x.begin;
    run.out = out;
    op->pixels(&run, rows);
}

void tess_depthwise_taps_span_s8__dsp(const void *op_, const int8_t *const *rows, int32_t y, int32_t x_begin,
                                      int32_t x_end, int8_t *out, void *scratch)
{
    const op_t *op = op_;
    const line_t line = begin_line(op, rows, op->in.c, op->stream, op->in.c);
    const tess_span_t inner = inner_columns(op, x_begin, x_end);

    (void)y;
    (void)scratch;
    TESS_ASSERT(op->kernel_h > 0 && op->kernel_h <= TESS_MAX_KERNEL_H && op->in.c >= 4 && op->out.c == op->in.c);
    TESS_ASSERT(op->pixels == NULL || op->kernel_h <= MAX_KERNEL);
    for (int32_t x = x_begin; x < x_end;) {
        int8_t *const to = out + (x - x_begin) * op->out.c;
        if (op->pixels != NULL && line.run.rows > 0 && x == inner.begin && x < inner.end) {
            run_inner(op, &line, inner, to);
            x = inner.end;
        } else {
            run_window(op, &line, x++, to);
        }
    }
}

/* Copies a row of four channels to the ring. */
static void copy_row(const op_t *op, const int8_t *row, uint32_t *to)
{
    for (int32_t x = 0; x < op->in.w; ++x, row += op->in.c) {
        to[x] = tess_load_word(row);
    }
}

static void run_four(const op_t *op, const int8_t *in, int8_t *out, const int32_t *stream, uint32_t *ring)
{
    const int8_t *rows[TESS_MAX_KERNEL_H];
    int32_t copied = 0; /* rows of the map */

    for (int32_t y = 0; y < op->out.h; ++y) {
        const int32_t top = y * op->stride_h - op->pad_top, end = tess_min(op->in.h, top + op->kernel_h);
        for (copied = tess_max(copied, top); copied < end; ++copied) {
            copy_row(op, in + copied * op->in.w * op->in.c, ring + copied % op->kernel_h * op->in.w);
        }
        for (int32_t i = 0; i < op->kernel_h; ++i) {
            const int32_t row = top + i;
            rows[i] = row >= 0 && row < op->in.h ? (const int8_t *)(ring + row % op->kernel_h * op->in.w) : NULL;
        }
        const line_t line = begin_line(op, rows, 4, stream, 4);
        for (int32_t x = 0; x < op->out.w; ++x, out += op->out.c) {
            run_window(op, &line, x, out);
        }
    }
}

void tess_depthwise_taps_s8__dsp(const op_t *op, const int8_t *in, int8_t *out, void *scratch)
{
    TESS_ASSERT(op->kernel_h > 0 && op->kernel_h <= TESS_MAX_KERNEL_H);
    TESS_ASSERT(op->out.c == op->in.c && op->in.c % 4 == 0 && ((uintptr_t)scratch & 3u) == 0);
    for (int32_t c = 0; c < op->in.c; c += 4) {
        run_four(op, in + c, out + c, op->stream + c / 4 * op->words, scratch);
    }
}
