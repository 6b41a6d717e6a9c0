/** Anchor-free detector outputs to boxes: table look-ups and non-maximum suppression, all in integers. */
#ifndef DETECT_DETECT_H
#define DETECT_DETECT_H

#include <stdint.h>

/** Changes whenever a generated table file and this library would no longer fit together. */
#define TESS_DETECT_ABI 1
/** Coordinates count 1/16 px. */
#define TESS_DETECT_SUBPIXELS 16

/** A detection. Corners are half-open and lie in the input, so that 0 <= x1 < x2 and 0 <= y1 < y2. */
typedef struct {
    int16_t x1, y1, x2, y2; /**< in 1/16 px of the model's input */
    uint8_t score;          /**< probability in 1/256 */
    uint8_t label;          /**< class */
} tess_detect_box_t;

/**
 * One grid of cells, `stride` px apart. Tables are indexed by q + 128 of an int8 output:
 *
 *   offset[.]  (2 * sigmoid(t) - 0.5) * stride    of a box centre from its cell's corner, 1/16 px
 *   size[.]    base * exp(t)                      width or height, 1/16 px, 1 or more
 */
typedef struct {
    int32_t stride, rows, cols;
    int32_t scores_output, boxes_output; /**< which of the model's outputs they are, for the caller's use */
    const int16_t *offset;               /**< [256] */
    const int16_t *size;                 /**< [256] */
} tess_detect_level_t;

/** A detector's constants; made by tools/tessera/detect/codegen.py. */
typedef struct {
    int32_t classes;                   /**< 1..255 */
    int32_t extent;                    /**< width and height of the model's input, 1/16 px */
    int32_t score_threshold;           /**< 1..255: the least score of a candidate, 1/256 */
    int32_t nms_iou_256;               /**< 0..256: two boxes of a class overlap by at most this, 1/256 */
    int32_t max_candidates;            /**< 1 or more: best ones that go into the suppression */
    int32_t level_count;               /**< in order of stride */
    const tess_detect_level_t *levels; /**< [level_count] */
    const char *const *names;          /**< [classes] */
} tess_detect_t;

/**
 * Finds the boxes of one image.
 *
 * scores[level] points to int8 [rows][cols][classes], probabilities with scale 1/256 and zero point -128;
 * boxes[level] points to int8 [rows][cols][4], tx ty tw th with the scale that the tables were made for.
 * found[op->max_candidates] is the result and the only storage; it must not overlap the outputs.
 *
 * Keeps the max_candidates best cells and classes, then takes them best first and drops each that overlaps a kept one
 * of its class by more than nms_iou_256. Among equal scores the lower stride, row, column and class comes first.
 * Boxes without a part in the input are no candidates. Bit-exact with tools/tessera/detect/decode.py.
 *
 * @return how many boxes were found, best first; found[] beyond them holds nothing of use.
 */
int32_t tess_detect_decode(const tess_detect_t *op, const int8_t *const *scores, const int8_t *const *boxes,
                           tess_detect_box_t *found);

#endif
