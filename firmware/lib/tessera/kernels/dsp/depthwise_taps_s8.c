#include "tessera/depthwise_conv2d_dsp.h"

#include "instructions.h"
#include "tessera/status.h"
#include "tessera/tess_math.h"
#include "tessera/window.h"

typedef tess_depthwise_taps_s8_dsp_t op_t;

enum { MAX_KERNEL = 7 }; /* of those in assembly */

static uint32_t four_bytes(int32_t byte)
{
    return ((uint32_t)byte & 0xffu) * 0x01010101u;
}

/* Adds the products of two neighbouring taps, see depthwise_pixels_s8.S. */
static inline void add_pair(int32_t sums[4], uint32_t a, uint32_t b, const int32_t *weights)
{
    const uint32_t low = (a & 0xffffu) | b << 16, high = (b & 0xffff0000u) | a >> 16;
    const uint32_t low_weights = (uint32_t)weights[0], high_weights = (uint32_t)weights[1];

    sums[0] = tess_smlad(tess_sxtb16(low), tess_sxtb16(low_weights), sums[0]);
    sums[1] = tess_smlad(tess_sxtb16_high(low), tess_sxtb16_high(low_weights), sums[1]);
    sums[2] = tess_smlad(tess_sxtb16(high), tess_sxtb16(high_weights), sums[2]);
    sums[3] = tess_smlad(tess_sxtb16_high(high), tess_sxtb16_high(high_weights), sums[3]);
}

static inline void add_odd(int32_t sums[4], uint32_t a, int32_t weights)
{
    const uint32_t even = tess_sxtb16(a), odd = tess_sxtb16_high(a);
    const uint32_t even_weights = tess_sxtb16((uint32_t)weights), odd_weights = tess_sxtb16_high((uint32_t)weights);

    sums[0] += (int16_t)even * (int16_t)even_weights;
    sums[1] += (int16_t)odd * (int16_t)odd_weights;
    sums[2] += ((int32_t)even >> 16) * ((int32_t)even_weights >> 16);
    sums[3] += ((int32_t)odd >> 16) * ((int32_t)odd_weights >> 16);
}

/* Channels c .. c + 3 of the output pixel whose window begins at column x. */
static uint32_t four_channels(const op_t *op, const int8_t *const *rows, int32_t pixel_bytes, int32_t x, int32_t c,
                              const int32_t *stream)
{
    const uint32_t padding = four_bytes(op->in_zero_point);
    const tess_span_t inside = tess_taps_inside(x, op->kernel_w, op->in.w);
    int32_t sums[4] = {stream[0], stream[1], stream[2], stream[3]};
    uint32_t values = 0;

    stream += 4;
    for (int32_t ky = 0; ky < op->kernel_h; ++ky) {
        const tess_span_t taps = {inside.begin, rows[ky] == NULL ? 0 : inside.end};
        const int8_t *const row = rows[ky] + x * pixel_bytes + c;
#define TAP(kx) ((kx) >= taps.begin && (kx) < taps.end ? tess_load_word(row + (kx) * pixel_bytes) : padding)
        if (op->kernel_w % 2 != 0) {
            add_odd(sums, TAP(op->kernel_w - 1), *stream++);
        }
        for (int32_t kx = 0; kx + 1 < op->kernel_w; kx += 2, stream += 2) {
            add_pair(sums, TAP(kx), TAP(kx + 1), stream);
        }
#undef TAP
    }
    for (int32_t i = 0; i < 4; ++i, stream += 3) {
        const int32_t rounded = tess_smmlar(2 * sums[i], stream[0], stream[1]) + (sums[i] >> 31);
        const int32_t value = tess_clamp_s8(op->base + (rounded >> stream[2]), op->min, op->max);
        values |= ((uint32_t)value & 0xffu) << (8 * i);
    }
    return values;
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
            const uint32_t *const slot = ring + row % op->kernel_h * op->in.w;
            rows[i] = row >= 0 && row < op->in.h ? (const int8_t *)slot : NULL;
        }
        for (int32_t x = 0; x < op->out.w; ++x, out += op->out.c) {
            tess_store_word(out, four_channels(op, rows, 4, x * op->stride_w - op->pad_left, 0, stream));
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

static tess_depthwise_pixels_run_t run_of(const op_t *op, int32_t pixel_bytes, int32_t pixels, int8_t *out)
{
    return (tess_depthwise_pixels_run_t){.in_c = pixel_bytes,
                                         .stream = op->stream,
                                         .stream_end = op->stream + op->in.c / 4 * op->words,
                                         .out = out,
                                         .step_bytes = op->stride_w * pixel_bytes,
                                         .count = pixels,
                                         .raise = four_bytes(255 - (op->max - op->min)),
                                         .settle = four_bytes(op->max - 255)};
}

/* A pixel of a kernel without an assembly of its own. */
static void run_any(const op_t *op, const int8_t *const *rows, int32_t x, int8_t *out)
{
    const int32_t *stream = op->stream;

    for (int32_t channel = 0; channel < op->in.c; channel += 4, stream += op->words) {
        const int32_t c = tess_min(channel, op->in.c - 4);
        tess_store_word(out + c, four_channels(op, rows, op->in.c, x, c, stream));
    }
}

/* A pixel whose window is not inside the map: the assembly runs on copies of the window, four channels at a time. */
static void run_border(const op_t *op, const int8_t *const *rows, int32_t x, int8_t *out)
{
    uint32_t window[MAX_KERNEL * MAX_KERNEL];
    const int8_t *window_rows[MAX_KERNEL];
    const tess_span_t taps = tess_taps_inside(x, op->kernel_w, op->in.w);
    const uint32_t padding = four_bytes(op->in_zero_point);
    tess_depthwise_pixels_run_t run = run_of(op, 4, 1, out);

    for (int32_t i = 0; i < op->kernel_h * op->kernel_w; ++i) {
        window[i] = padding;
    }
    for (int32_t i = 0; i < op->kernel_h; ++i) {
        window_rows[i] = (const int8_t *)(window + i * op->kernel_w);
    }
    for (int32_t c = 0; c < op->in.c; c += 4) {
        for (int32_t ky = 0; ky < op->kernel_h; ++ky) {
            if (rows[ky] != NULL) {
                const int8_t *from = rows[ky] + (x + taps.begin) * op->in.c + c;
                for (int32_t kx = taps.begin; kx < taps.end; ++kx, from += op->in.c) {
                    window[ky * op->kernel_w + kx] = tess_load_word(from);
                }
            }
        }
        run.stream_end = run.stream + op->words;
        op->pixels(&run, window_rows);
        run.stream = run.stream_end;
        run.out += 4;
    }
}

/* Output columns of [x_begin, x_end) whose windows lie inside the map. */
static tess_span_t inner_columns(const op_t *op, const int8_t *const *rows, int32_t x_begin, int32_t x_end)
{
    const int32_t last = op->in.w - op->kernel_w + op->pad_left;
    tess_span_t inner = {tess_max(x_begin, (op->pad_left + op->stride_w - 1) / op->stride_w),
                         last < 0 ? x_begin : tess_min(x_end, last / op->stride_w + 1)};

    for (int32_t i = 0; i < op->kernel_h; ++i) {
        inner.end = rows[i] == NULL ? x_begin : inner.end;
    }
    return inner;
}

static void run_inner(const op_t *op, const int8_t *const *rows, tess_span_t x, int8_t *out)
{
    const int8_t *first[MAX_KERNEL];
    const tess_depthwise_pixels_run_t run = run_of(op, op->in.c, x.end - x.begin, out);

    for (int32_t i = 0; i < op->kernel_h; ++i) {
        first[i] = rows[i] + (x.begin * op->stride_w - op->pad_left) * op->in.c;
    }
    op->pixels(&run, first);
}

void tess_depthwise_taps_span_s8__dsp(const void *op_, const int8_t *const *rows, int32_t y, int32_t x_begin,
                                      int32_t x_end, int8_t *out, void *scratch)
{
    const op_t *op = op_;
    const tess_span_t inner = inner_columns(op, rows, x_begin, x_end);

    (void)y;
    (void)scratch;
    TESS_ASSERT(op->kernel_h > 0 && op->kernel_h <= TESS_MAX_KERNEL_H && op->in.c >= 4 && op->out.c == op->in.c);
    TESS_ASSERT(op->pixels == NULL || (op->in.c % 4 == 0 && op->kernel_h <= MAX_KERNEL && op->kernel_w <= MAX_KERNEL));
    for (int32_t x = x_begin; x < x_end;) {
        int8_t *const to = out + (x - x_begin) * op->out.c;
        if (op->pixels == NULL) {
            run_any(op, rows, x++ * op->stride_w - op->pad_left, to);
        } else if (x == inner.begin && x < inner.end) {
            run_inner(op, rows, inner, to);
            x = inner.end;
        } else {
            run_border(op, rows, x++ * op->stride_w - op->pad_left, to);
        }
    }
}
