#include "telemetry/cbor.h"

#include <string.h>

static void append(tess_cbor_writer_t *writer, const void *data, size_t bytes)
{
    if (writer->overflow || bytes > writer->size - writer->used) {
        writer->overflow = true;
        return;
    }
    memcpy(writer->data + writer->used, data, bytes);
    writer->used += bytes;
}

/* A head in its shortest form: major type and argument. */
static void head(tess_cbor_writer_t *writer, uint32_t major, uint64_t argument)
{
    uint8_t out[9];
    size_t more = argument < 24 ? 0 : argument <= 0xff ? 1 : argument <= 0xffff ? 2 : argument <= 0xffffffff ? 4 : 8;
    uint32_t low = more == 0 ? (uint32_t)argument : more == 1 ? 24 : more == 2 ? 25 : more == 4 ? 26 : 27;
    out[0] = (uint8_t)(major << 5 | low);
    for (size_t i = 0; i < more; i++) {
        out[1 + i] = (uint8_t)(argument >> (8 * (more - 1 - i)));
    }
    append(writer, out, 1 + more);
}

void tess_cbor_map(tess_cbor_writer_t *writer, uint32_t pairs)
{
    head(writer, 5, pairs);
}

void tess_cbor_array(tess_cbor_writer_t *writer, uint32_t items)
{
    head(writer, TESS_CBOR_ARRAY, items);
}

void tess_cbor_uint(tess_cbor_writer_t *writer, uint64_t value)
{
    head(writer, TESS_CBOR_UINT, value);
}

void tess_cbor_int(tess_cbor_writer_t *writer, int64_t value)
{
    if (value < 0) {
        head(writer, TESS_CBOR_NEGATIVE, (uint64_t)(-1 - value));
    } else {
        head(writer, TESS_CBOR_UINT, (uint64_t)value);
    }
}

void tess_cbor_bool(tess_cbor_writer_t *writer, bool value)
{
    head(writer, TESS_CBOR_BOOL, value ? 21 : 20);
}

void tess_cbor_text(tess_cbor_writer_t *writer, const char *text)
{
    size_t bytes = strlen(text);
    head(writer, TESS_CBOR_TEXT, bytes);
    append(writer, text, bytes);
}

void tess_cbor_bytes(tess_cbor_writer_t *writer, const uint8_t *data, size_t bytes)
{
    head(writer, TESS_CBOR_BYTES, bytes);
    append(writer, data, bytes);
}

typedef struct {
    const uint8_t *at, *end;
} reader_t;

static bool read_head(reader_t *reader, uint32_t *major, uint64_t *argument)
{
    if (reader->at == reader->end) {
        return false;
    }
    uint32_t first = *reader->at++, low = first & 31;
    *major = first >> 5;
    if (low < 24) {
        *argument = low;
        return true;
    }
    if (low > 27) { /* reserved, or of indefinite length */
        return false;
    }
    size_t more = (size_t)1 << (low - 24);
    if ((size_t)(reader->end - reader->at) < more) {
        return false;
    }
    *argument = 0;
    for (size_t i = 0; i < more; i++) {
        *argument = *argument << 8 | *reader->at++;
    }
    return true;
}

/* A value that is no container. */
static bool read_scalar(reader_t *reader, tess_cbor_value_t *value)
{
    uint32_t major;
    uint64_t argument;
    const uint8_t *start = reader->at;
    if (!read_head(reader, &major, &argument)) {
        return false;
    }
    *value = (tess_cbor_value_t){.type = (tess_cbor_type_t)major, .number = argument, .data = reader->at};
    switch (major) {
    case TESS_CBOR_UINT:
    case TESS_CBOR_NEGATIVE:
    case TESS_CBOR_ARRAY:
        return true;
    case TESS_CBOR_BYTES:
    case TESS_CBOR_TEXT:
        if (argument > (size_t)(reader->end - reader->at)) {
            return false;
        }
        value->bytes = (size_t)argument;
        reader->at += value->bytes;
        return true;
    case TESS_CBOR_BOOL:
        value->number = argument - 20;
        return reader->at - start == 1 && (argument == 20 || argument == 21);
    default:
        return false;
    }
}

static bool read_value(reader_t *reader, tess_cbor_value_t *value)
{
    if (!read_scalar(reader, value)) {
        return false;
    }
    if (value->type != TESS_CBOR_ARRAY) {
        return true;
    }
    for (uint64_t i = 0; i < value->number; i++) { /* ends by the data's end at the latest */
        tess_cbor_value_t item;
        if (!read_scalar(reader, &item) || item.type == TESS_CBOR_ARRAY) {
            return false;
        }
    }
    value->bytes = (size_t)(reader->at - value->data);
    return true;
}

bool tess_cbor_is_text(const tess_cbor_value_t *value, const char *text)
{
    return value->type == TESS_CBOR_TEXT && value->bytes == strlen(text) &&
           memcmp(value->data, text, value->bytes) == 0;
}

bool tess_cbor_find(const uint8_t *data, size_t bytes, const char *key, tess_cbor_value_t *value)
{
    reader_t reader = {data, data + bytes};
    uint32_t major;
    uint64_t pairs;
    if (!read_head(&reader, &major, &pairs) || major != 5) {
        return false;
    }
    bool found = false;
    for (uint64_t i = 0; i < pairs; i++) {
        tess_cbor_value_t name, item;
        if (!read_scalar(&reader, &name) || !read_value(&reader, &item)) {
            return false;
        }
        if (!found && tess_cbor_is_text(&name, key)) {
            *value = item;
            found = true;
        }
    }
    return found;
}

bool tess_cbor_find_uint(const uint8_t *data, size_t bytes, const char *key, uint32_t limit, uint32_t *number)
{
    tess_cbor_value_t value;
    if (!tess_cbor_find(data, bytes, key, &value) || value.type != TESS_CBOR_UINT || value.number > limit) {
        return false;
    }
    *number = (uint32_t)value.number;
    return true;
}
