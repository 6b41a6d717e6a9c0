/** The part of CBOR (RFC 8949) that telemetry needs: flat maps of text keys, definite lengths, no floats, no tags. */
#ifndef TELEMETRY_CBOR_H
#define TELEMETRY_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Writes into data[size]. What does not fit sets `overflow` and is left out; `used` never passes `size`. */
typedef struct {
    uint8_t *data;
    size_t size, used;
    bool overflow;
} tess_cbor_writer_t;

void tess_cbor_map(tess_cbor_writer_t *writer, uint32_t pairs);
void tess_cbor_array(tess_cbor_writer_t *writer, uint32_t items);
void tess_cbor_uint(tess_cbor_writer_t *writer, uint64_t value);
void tess_cbor_int(tess_cbor_writer_t *writer, int64_t value);
void tess_cbor_bool(tess_cbor_writer_t *writer, bool value);
void tess_cbor_text(tess_cbor_writer_t *writer, const char *text);
void tess_cbor_bytes(tess_cbor_writer_t *writer, const uint8_t *data, size_t bytes);

/** Value of CBOR's major types that a map may hold. */
typedef enum {
    TESS_CBOR_UINT = 0,
    TESS_CBOR_NEGATIVE = 1, /**< means -1 - number */
    TESS_CBOR_BYTES = 2,
    TESS_CBOR_TEXT = 3,
    TESS_CBOR_ARRAY = 4,
    TESS_CBOR_BOOL = 7,
} tess_cbor_type_t;

typedef struct {
    tess_cbor_type_t type;
    uint64_t number;     /**< the integer; 0 or 1 of a bool; bytes of a string; items of an array */
    const uint8_t *data; /**< a string's first byte or an array's first item, inside the map that was searched */
    size_t bytes;        /**< of `data` */
} tess_cbor_value_t;

/**
 * Finds `key` in the flat map data[bytes]. Never reads outside it, whatever it holds.
 *
 * @return true if data begins with a well-formed map that holds the key; *value is its value.
 */
bool tess_cbor_find(const uint8_t *data, size_t bytes, const char *key, tess_cbor_value_t *value);

/** The unsigned integer `key`. @return false, *number unchanged, if it is absent, of another type or above `limit`. */
bool tess_cbor_find_uint(const uint8_t *data, size_t bytes, const char *key, uint32_t limit, uint32_t *number);

/** @return true if `value` is the text `text`. */
bool tess_cbor_is_text(const tess_cbor_value_t *value, const char *text);

#endif
