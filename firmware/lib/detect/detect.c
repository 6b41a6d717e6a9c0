#include "detect/detect.h"

static int32_t min_s32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}
static int32_t max_s32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/** Reads the box of a cell, t[4]. Returns 0 when no part of it lies in the input. */
static int decode_box(const tess_detect_t *op, const tess_detect_level_t *level, int32_t row, int32_t col,
                      const int8_t *t, tess_detect_box_t *box)
{
    const int32_t step = level->stride * TESS_DETECT_SUBPIXELS;
    const int32_t w = level->size[t[2] + 128], h = level->size[t[3] + 128];
    const int32_t left = col * step + level->offset[t[0] + 128] - w / 2;
    const int32_t top = row * step + level->offset[t[1] + 128] - h / 2;
    const int32_t x1 = max_s32(left, 0), x2 = min_s32(left + w, op->extent);
    const int32_t y1 = max_s32(top, 0), y2 = min_s32(top + h, op->extent);

    if (x1 >= x2 || y1 >= y2) {
        return 0;
    }
    box->x1 = (int16_t)x1;
    box->y1 = (int16_t)y1;
    box->x2 = (int16_t)x2;
    box->y2 = (int16_t)y2;
    return 1;
}

/** Whether a candidate of this score has a place among the `count` so far. Equal scores: first come, first kept. */
static int is_wanted(const tess_detect_t *op, int32_t score, const tess_detect_box_t *found, int32_t count)
{
    return score >= op->score_threshold && (count < op->max_candidates || score > found[count - 1].score);
}

/** Puts a wanted box behind all that score as much; a full list loses its last one. Returns the new count. */
static int32_t insert(const tess_detect_t *op, const tess_detect_box_t *box, tess_detect_box_t *found, int32_t count)
{
    const int32_t last = count < op->max_candidates ? count : count - 1;
    int32_t i = last;

    for (; i > 0 && found[i - 1].score < box->score; i--) {
        found[i] = found[i - 1];
    }
    found[i] = *box;
    return last + 1;
}

static int32_t collect(const tess_detect_t *op, const tess_detect_level_t *level, const int8_t *scores,
                       const int8_t *boxes, tess_detect_box_t *found, int32_t count)
{
    for (int32_t row = 0; row < level->rows; row++) {
        for (int32_t col = 0; col < level->cols; col++, scores += op->classes, boxes += 4) {
            for (int32_t label = 0; label < op->classes; label++) {
                const int32_t score = scores[label] + 128;
                tess_detect_box_t box;

                if (is_wanted(op, score, found, count) && decode_box(op, level, row, col, boxes, &box)) {
                    box.score = (uint8_t)score;
                    box.label = (uint8_t)label;
                    count = insert(op, &box, found, count);
                }
            }
        }
    }
    return count;
}

static int64_t area(const tess_detect_box_t *box)
{
    return (int64_t)(box->x2 - box->x1) * (box->y2 - box->y1);
}

/** inter / union > iou_256 / 256, without the division. Areas reach 2^30, so the products need 64 bits. */
static int overlaps(const tess_detect_box_t *a, const tess_detect_box_t *b, int32_t iou_256)
{
    const int32_t w = min_s32(a->x2, b->x2) - max_s32(a->x1, b->x1);
    const int32_t h = min_s32(a->y2, b->y2) - max_s32(a->y1, b->y1);

    if (w <= 0 || h <= 0) {
        return 0;
    }
    const int64_t inter = (int64_t)w * h;
    return inter * 256 > iou_256 * (area(a) + area(b) - inter);
}

static int is_suppressed(const tess_detect_t *op, const tess_detect_box_t *box, const tess_detect_box_t *kept,
                         int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        if (kept[i].label == box->label && overlaps(&kept[i], box, op->nms_iou_256)) {
            return 1;
        }
    }
    return 0;
}

int32_t tess_detect_decode(const tess_detect_t *op, const int8_t *const *scores, const int8_t *const *boxes,
                           tess_detect_box_t *found)
{
    int32_t candidates = 0, kept = 0;

    for (int32_t i = 0; i < op->level_count; i++) {
        candidates = collect(op, &op->levels[i], scores[i], boxes[i], found, candidates);
    }
    for (int32_t i = 0; i < candidates; i++) {
        const tess_detect_box_t box = found[i];
        if (!is_suppressed(op, &box, found, kept)) {
            found[kept++] = box;
        }
    }
    return kept;
}
