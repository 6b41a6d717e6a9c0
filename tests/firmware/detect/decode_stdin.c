/*
 * Runs the decoder on images from stdin: for each, the int8 scores and boxes of every level, in order. Prints one line
 * a detection and an empty line after each image. Every buffer has its exact size, so that ASan sees one step too far.
 */
#include <stdio.h>
#include <stdlib.h>

#include "toy_detect.h"

static int8_t *take(size_t bytes)
{
    int8_t *data = malloc(bytes);
    if (data == NULL || fread(data, 1, bytes, stdin) != bytes) {
        exit(1);
    }
    return data;
}

int main(int argc, char **argv)
{
    const tess_detect_t *op = &toy_detect;
    const int images = argc > 1 ? atoi(argv[1]) : 0;

    for (int i = 0; i < images; i++) {
        int8_t *scores[TOY_DETECT_LEVELS], *boxes[TOY_DETECT_LEVELS];
        tess_detect_box_t *found = malloc(sizeof *found * TOY_DETECT_CANDIDATES);

        for (int32_t k = 0; k < op->level_count; k++) {
            const size_t cells = (size_t)(op->levels[k].rows * op->levels[k].cols);
            scores[k] = take(cells * (size_t)op->classes);
            boxes[k] = take(cells * 4);
        }
        const int32_t count =
            tess_detect_decode(op, (const int8_t *const *)scores, (const int8_t *const *)boxes, found);
        for (int32_t k = 0; k < count; k++) {
            printf("%d %d %d %d %d %d\n", found[k].x1, found[k].y1, found[k].x2, found[k].y2, found[k].score,
                   found[k].label);
        }
        printf("\n");
        for (int32_t k = 0; k < op->level_count; k++) {
            free(scores[k]);
            free(boxes[k]);
        }
        free(found);
    }
    return 0;
}
