/* A detector: after a run, the request `detect` turns the model's outputs into boxes. */
#include "detect/detect.h"
#include "port.h"
#include "serve/serve.h"
#include "tess_detector_config.h"

enum { BOX_FIELDS = 6, BOXES_IN_MESSAGE = 24 };

static tess_detect_box_t found[TESS_DETECTOR_CANDIDATES];

/* `boxes`: those from `first` on, six integers each. */
static void send_boxes(int32_t first, int32_t count)
{
    tess_cbor_writer_t out = tess_serve_message("boxes", 2);
    tess_serve_uint(&out, "first", (uint32_t)first);
    tess_cbor_text(&out, "boxes");
    tess_cbor_array(&out, (uint32_t)(count * BOX_FIELDS));
    for (const tess_detect_box_t *box = found + first; box < found + first + count; ++box) {
        tess_cbor_int(&out, box->x1);
        tess_cbor_int(&out, box->y1);
        tess_cbor_int(&out, box->x2);
        tess_cbor_int(&out, box->y2);
        tess_cbor_uint(&out, box->score);
        tess_cbor_uint(&out, box->label);
    }
    tess_serve_send(&out);
}

static void detect(void)
{
    const int8_t *scores[TESS_DETECTOR_LEVELS], *boxes[TESS_DETECTOR_LEVELS];
    for (int32_t i = 0; i < TESS_DETECTOR_LEVELS; ++i) {
        scores[i] = tess_serve_output((uint32_t)TESS_DETECTOR.levels[i].scores_output);
        boxes[i] = tess_serve_output((uint32_t)TESS_DETECTOR.levels[i].boxes_output);
    }
    tess_port_count_start();
    const int32_t total = tess_detect_decode(&TESS_DETECTOR, scores, boxes, found);
    const uint64_t count = tess_port_count();
    for (int32_t first = 0; first < total; first += BOXES_IN_MESSAGE) {
        const int32_t left = total - first;
        send_boxes(first, left < BOXES_IN_MESSAGE ? left : BOXES_IN_MESSAGE);
    }
    tess_cbor_writer_t out = tess_serve_message("found", 2);
    tess_serve_uint(&out, "total", (uint32_t)total);
    tess_serve_uint(&out, "count", count);
    tess_serve_send(&out);
}

bool tess_app_request(const tess_cbor_value_t *type)
{
    if (!tess_cbor_is_text(type, "detect")) {
        return false;
    }
    detect();
    return true;
}
