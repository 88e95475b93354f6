#include "model/calibration.h"

#include "base/buffer.h"
#include "base/hash.h"
#include <string.h>

/* The version rises where int8 makes other numbers of the same blob, too: what was begun with one is not continued. */
enum { VERSION = 2, MAGIC_BYTES = 8, HASH_DIGITS = POM_SHA256_HEX - 1, NUMBERS = 3 /* low, high, mean */ };

static const char magic[MAGIC_BYTES] = {'P', 'O', 'M', 'C', 'A', 'L', 'I', 'B'};

/* Writing: a failure shows in the last result only, as a buffer that could not grow stays as it was. */

static bool put_number(struct pom_buffer *out, uint32_t x) {
    const uint8_t bytes[] = {(uint8_t)x, (uint8_t)(x >> 8), (uint8_t)(x >> 16), (uint8_t)(x >> 24)};
    return pom_buffer_append(out, bytes, sizeof bytes);
}

static bool put_text(struct pom_buffer *out, const char *text) {
    size_t n = strlen(text);
    return n <= UINT32_MAX && put_number(out, (uint32_t)n) && pom_buffer_append(out, text, n);
}

static bool put_floats(struct pom_buffer *out, const float *values, int n) {
    for (int i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        if (!put_number(out, bits))
            return false;
    }
    return true;
}

static bool put_range(struct pom_buffer *out, const struct pom_net_range *range) {
    return put_text(out, range->name) && put_number(out, (uint32_t)range->channels) &&
           put_floats(out, range->low, range->channels) && put_floats(out, range->high, range->channels) &&
           put_floats(out, range->mean, range->channels);
}

static bool put_all(struct pom_buffer *out, const struct pom_calibration *c) {
    bool put = pom_buffer_append(out, magic, sizeof magic) && put_number(out, VERSION) && put_text(out, c->sha256) &&
               put_text(out, c->preprocess) && put_text(out, c->output_layer) && put_number(out, (uint32_t)c->width) &&
               put_number(out, (uint32_t)c->height) && put_number(out, (uint32_t)c->n_ranges);
    for (int i = 0; i < c->n_ranges && put; i++)
        put = put_range(out, &c->ranges[i]);
    return put;
}

enum pom_status pom_calibration_write(
    const struct pom_calibration *calibration, void **blob, size_t *n_bytes, struct pom_message *msg) {
    struct pom_buffer out = {0};
    char digest[POM_SHA256_HEX];
    enum pom_status status = put_all(&out, calibration) ? pom_sha256(out.data, out.size, digest, msg)
                                                        : pom_fail_memory(msg, "a calibration");
    if (status == POM_OK && !pom_buffer_append(&out, digest, HASH_DIGITS))
        status = pom_fail_memory(msg, "a calibration");
    if (status != POM_OK) {
        pom_buffer_clean_up(&out);
        return status;
    }
    *blob = out.data;
    *n_bytes = out.size;
    return POM_OK;
}

/* Reading */

struct cursor {
    const uint8_t *at;
    size_t left;
    struct pom_arena *arena;
};

static const uint8_t *take(struct cursor *from, size_t n) {
    if (n > from->left)
        return NULL;
    const uint8_t *bytes = from->at;
    from->at += n;
    from->left -= n;
    return bytes;
}

static bool take_number(struct cursor *from, uint32_t *out) {
    const uint8_t *b = take(from, 4);
    if (b)
        *out = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    return b != NULL;
}

static bool take_count(struct cursor *from, uint32_t most, int *out) {
    uint32_t n;
    if (!take_number(from, &n) || n > most)
        return false;
    *out = (int)n;
    return true;
}

static bool take_text(struct cursor *from, const char **out) {
    uint32_t n;
    const uint8_t *bytes = take_number(from, &n) ? take(from, n) : NULL;
    char *text = bytes ? pom_arena_alloc(from->arena, (size_t)n + 1, 1) : NULL;
    if (!text || memchr(bytes, '\0', n))
        return false;
    memcpy(text, bytes, n);
    *out = text;
    return true;
}

static bool take_floats(struct cursor *from, int n, const float **out) {
    if (from->left / sizeof(float) < (size_t)n)
        return false;
    float *values = pom_arena_alloc(from->arena, (size_t)n, sizeof *values);
    for (int i = 0; i < n && values; i++) {
        uint32_t bits;
        if (!take_number(from, &bits))
            return false;
        memcpy(&values[i], &bits, sizeof bits);
    }
    *out = values;
    return values != NULL;
}

static bool take_range(struct cursor *from, struct pom_net_range *out) {
    return take_text(from, &out->name) && take_count(from, INT32_MAX, &out->channels) &&
           take_floats(from, out->channels, &out->low) && take_floats(from, out->channels, &out->high) &&
           take_floats(from, out->channels, &out->mean);
}

static bool take_all(struct cursor *from, struct pom_calibration *out) {
    enum { RANGE_BYTES = 8 }; /* at least */
    if (!take_text(from, &out->sha256) || !take_text(from, &out->preprocess) || !take_text(from, &out->output_layer) ||
        !take_count(from, INT32_MAX, &out->width) || !take_count(from, INT32_MAX, &out->height) ||
        !take_count(from, INT32_MAX, &out->n_ranges) || from->left / RANGE_BYTES < (size_t)out->n_ranges)
        return false;
    out->ranges = pom_arena_alloc(from->arena, (size_t)out->n_ranges, sizeof *out->ranges);
    for (int i = 0; i < out->n_ranges; i++)
        if (!out->ranges || !take_range(from, &out->ranges[i]))
            return false;
    return from->left == 0;
}

/* The digest at the end, over all before it. */
static enum pom_status check_digest(struct pom_bytes blob, struct pom_message *msg) {
    char digest[POM_SHA256_HEX];
    size_t n = blob.n_bytes - HASH_DIGITS;
    POM_TRY(pom_sha256(blob.data, n, digest, msg));
    if (memcmp((const char *)blob.data + n, digest, HASH_DIGITS) != 0)
        return pom_fail(msg, POM_ERR_FORMAT, "the calibration is damaged: calibrate again");
    return POM_OK;
}

enum pom_status pom_calibration_read(struct pom_bytes blob, struct pom_calibration *out, struct pom_message *msg) {
    uint32_t version;
    if (blob.n_bytes < MAGIC_BYTES + 4 + HASH_DIGITS || memcmp(blob.data, magic, sizeof magic) != 0)
        return pom_fail(msg, POM_ERR_FORMAT, "not a calibration: %zu bytes of something else", blob.n_bytes);
    struct cursor from = {
        (const uint8_t *)blob.data + MAGIC_BYTES, blob.n_bytes - MAGIC_BYTES - HASH_DIGITS, &out->arena};
    if (take_number(&from, &version) && version != VERSION)
        return pom_fail(msg, POM_ERR_FORMAT,
            "the calibration has format %u, this version of Pomona reads %d: calibrate again", version, VERSION);
    POM_TRY(check_digest(blob, msg));
    if (!take_all(&from, out))
        return pom_fail(msg, POM_ERR_FORMAT, "the calibration is damaged, or memory ran out: calibrate again");
    return POM_OK;
}

enum pom_status pom_calibration_check_file(
    const struct pom_calibration *calibration, const char *sha256, struct pom_message *msg) {
    if (strcmp(calibration->sha256, sha256) != 0)
        return pom_fail(msg, POM_ERR_FORMAT, "the calibration was made for another model file, with SHA-256 %.64s",
            calibration->sha256);
    return POM_OK;
}

enum pom_status pom_calibration_check(
    const struct pom_calibration *calibration, const struct pom_model_info *info, struct pom_message *msg) {
    if (strcmp(calibration->preprocess, info->preprocess) != 0 ||
        strcmp(calibration->output_layer, info->output_layer) != 0 || calibration->width != info->width ||
        calibration->height != info->height)
        return pom_fail(msg, POM_ERR_FORMAT,
            "the calibration was made for layer %.80s, %d x %d, preprocessed as %.20s; not for layer %.80s, %d x %d, "
            "%.20s",
            calibration->output_layer, calibration->width, calibration->height, calibration->preprocess,
            info->output_layer, info->width, info->height, info->preprocess);
    return POM_OK;
}

void pom_calibration_clean_up(struct pom_calibration *calibration) {
    pom_arena_clean_up(&calibration->arena);
    *calibration = (struct pom_calibration){0};
}
