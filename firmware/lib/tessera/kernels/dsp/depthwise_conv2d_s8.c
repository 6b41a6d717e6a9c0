#include "tessera/depthwise_conv2d_dsp.h"

#include <stdbool.h>

#include "tessera/status.h"
#include "tessera/tess_math.h"
#include "tessera/window.h"

typedef tess_depthwise_conv2d_s8_dsp_t op_t;

enum { MAX_KERNEL = 7 };

/* A block of channels and the columns of a row that are computed together. */
typedef struct {
    tess_span_t x;                 /* output columns */
    tess_span_t in;                /* input columns inside the map that their windows see */
    int32_t left;                  /* columns of padding before them */
    int32_t channel;               /* first of the block */
    int16_t *rows[2 * MAX_KERNEL]; /* a ring, twice: the rows of a window follow each other from any of the first */
    tess_depthwise_widen_t widen;
    tess_depthwise_run_t run;
} work_t;

static int32_t stream_words(const op_t *op)
{
    return op->kernel * (op->kernel - 1) + 4;
}

static int32_t window_columns(const op_t *op, int32_t outputs)
{
    return (outputs - 1) * op->stride + op->kernel;
}

/* Planes of the columns lie in scratch behind the streams of a block. */
static void begin_columns(work_t *work, const op_t *op, tess_span_t x, void *scratch)
{
    const int32_t outputs = x.end - x.begin, first = x.begin * op->stride - op->pad_left;
    const int32_t seen = window_columns(op, outputs), plane_bytes = (2 * seen + 3) / 4 * 4;
    const int32_t group = op->stride == 2 && op->kernel > 3 ? 2 : 4, groups = outputs / group;
    int8_t *planes = (int8_t *)((int32_t *)scratch + op->block * stream_words(op));

    work->x = x;
    work->in = (tess_span_t){tess_max(first, 0), tess_max(tess_min(first + seen, op->in.w), 0)};
    work->left = work->in.begin - first;
    for (int32_t i = 0; i < op->kernel; ++i) {
        work->rows[i] = work->rows[op->kernel + i] = (int16_t *)(void *)(planes + i * op->block * plane_bytes);
    }
    work->widen = (tess_depthwise_widen_t){
        .pixel_bytes = op->in_pixel_bytes, .plane_bytes = plane_bytes, .pixels = work->in.end - work->in.begin};
    work->run = (tess_depthwise_run_t){.stream = scratch,
                                       .pixel_bytes = op->out_pixel_bytes,
                                       .whole_bytes = groups * group * op->out_pixel_bytes,
                                       .next_bytes = plane_bytes - 2 * groups * group * op->stride,
                                       .rest = outputs - groups * group,
                                       .raise = 255 - (op->max - op->min),
                                       .settle = op->max - 255};
}

/* Zero points in `bytes` bytes, a multiple of 4. */
static void fill(int16_t *planes, int32_t bytes, int32_t zero_point)
{
    const uint32_t pair = ((uint32_t)zero_point & 0xffffu) * 0x10001u;
    uint32_t *at = (uint32_t *)(void *)planes, *const end = at + bytes / 4;

    for (; end - at >= 4; at += 4) {
        at[0] = pair;
        at[1] = pair;
        at[2] = pair;
        at[3] = pair;
    }
    while (at != end) {
        *at++ = pair;
    }
}

static void fill_rows(work_t *work, const op_t *op)
{
    fill(work->rows[0], op->kernel * op->block * work->widen.plane_bytes, op->in_zero_point);
}

static void begin_block(work_t *work, const op_t *op, int32_t channel, int32_t *stream)
{
    const int32_t channels = tess_min(op->block, op->in.c - channel);
    const int8_t *weights = op->weights + channel * op->kernel * op->kernel;

    op->stream(stream, weights, op->channels + channel, op->channels + channel + channels,
               ((uint32_t)(2 * op->weights_zero_point) & 0xffffu) * 0x10001u);
    work->channel = channel;
    work->widen.channels = channels;
    work->run.stream_end = stream + channels * stream_words(op);
}

/* row: channel 0 of column 0; to: a row of planes. */
static void widen_row(const work_t *work, const op_t *op, const int8_t *row, int16_t *to)
{
    if (work->widen.pixels > 0) {
        tess_depthwise_widen_s8__dsp(&work->widen, row + work->in.begin * op->in_pixel_bytes + work->channel,
                                     to + work->left);
    }
}

static void run_row(work_t *work, const op_t *op, int32_t first, int8_t *out)
{
    work->run.out = out + work->channel;
    op->row(&work->run, (const int16_t *const *)work->rows + first);
}

static void run_block(work_t *work, const op_t *op, const int8_t *in, int8_t *out)
{
    int32_t first = 0; /* of the ring, as the window stands */
    int32_t next = -op->pad_top, fresh = op->kernel;

    for (int32_t y = 0; y < op->out.h; ++y) {
        for (int32_t i = op->kernel - fresh; i < op->kernel; ++i, ++next) {
            int16_t *const to = work->rows[first + i];
            if (next >= 0 && next < op->in.h) {
                widen_row(work, op, in + next * op->in_row_bytes, to);
            } else {
                fill(to, work->widen.channels * work->widen.plane_bytes, op->in_zero_point);
            }
        }
        run_row(work, op, first, out + y * op->out_row_bytes);
        fresh = op->stride;
        first = first + fresh < op->kernel ? first + fresh : first + fresh - op->kernel;
    }
}

void tess_depthwise_conv2d_s8__dsp(const op_t *op, const int8_t *in, int8_t *out, void *scratch)
{
    work_t work;

    TESS_ASSERT(op->kernel <= MAX_KERNEL && op->out.c == op->in.c && ((uintptr_t)scratch & 3u) == 0);
    begin_columns(&work, op, (tess_span_t){0, op->out.w}, scratch);
    fill_rows(&work, op);
    for (int32_t channel = 0; channel < op->in.c; channel += op->block) {
        begin_block(&work, op, channel, scratch);
        run_block(&work, op, in, out);
    }
}

void tess_depthwise_conv2d_span_s8__dsp(const void *op_, const int8_t *const *rows, int32_t y, int32_t x_begin,
                                        int32_t x_end, int8_t *out, void *scratch)
{
    const op_t *op = op_;
    work_t work;

    (void)y;
    TESS_ASSERT(op->kernel <= MAX_KERNEL && op->out.c == op->in.c && ((uintptr_t)scratch & 3u) == 0);
    for (int32_t x = x_begin; x < x_end; x += op->columns) {
        bool padded;
        begin_columns(&work, op, (tess_span_t){x, tess_min(x + op->columns, x_end)}, scratch);
        padded = work.widen.pixels < window_columns(op, work.x.end - x);
        for (int32_t i = 0; i < op->kernel; ++i) {
            padded = padded || rows[i] == NULL;
        }
        if (padded) { /* once for all blocks, which write over the pixels only */
            fill_rows(&work, op);
        }
        for (int32_t channel = 0; channel < op->in.c; channel += op->block) {
            begin_block(&work, op, channel, scratch);
            for (int32_t i = 0; i < op->kernel; ++i) {
                if (rows[i] != NULL) {
                    widen_row(&work, op, rows[i], work.rows[i]);
                }
            }
            run_row(&work, op, 0, out + (x - x_begin) * op->out_pixel_bytes);
        }
    }
}
