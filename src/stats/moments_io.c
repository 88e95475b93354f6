/* Moments as bytes: a digest of all that follows it, magic, sizes, the mean, and the upper triangle of the scatter row
 * by row; all little-endian. */
#include "base/hash.h"
#include "base/memory.h"
#include "stats/moments.h"
#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "doubles and integers are stored as they stand in memory");

enum { DIGEST = POM_SHA256_HEX - 1 };

static const char magic[8] = "POMMOM1"; /* with the version of the layout */

struct header {
    char magic[8];
    uint64_t d, count;
};

static size_t saved_bytes(size_t d) {
    return DIGEST + sizeof(struct header) + (d + d * (d + 1) / 2) * sizeof(double);
}

size_t pom_moments_saved_bytes(const struct pom_moments *moments) {
    return saved_bytes(moments->mean.d);
}

static char *put(char *to, const void *from, size_t n_bytes) {
    memcpy(to, from, n_bytes);
    return to + n_bytes;
}

enum pom_status pom_moments_save(
    const struct pom_moments *moments, void *bytes, size_t n_bytes, struct pom_message *msg) {
    size_t d = moments->mean.d, size = saved_bytes(d);
    if (n_bytes < size)
        return pom_fail(msg, POM_ERR_ARGUMENT, "these moments need %zu bytes, not %zu", size, n_bytes);
    struct pom_moments_view view = {0};
    POM_TRY(pom_moments_snapshot(moments, &view, msg));
    struct header header = {.d = d, .count = view.mean.count};
    memcpy(header.magic, magic, sizeof magic);
    char *to = put((char *)bytes + DIGEST, &header, sizeof header);
    to = put(to, view.mean.mean, d * sizeof(double));
    for (size_t i = 0; i < d; i++)
        to = put(to, view.scatter + i * d + i, (d - i) * sizeof(double));
    pom_moments_view_clean_up(&view);
    char hex[POM_SHA256_HEX];
    POM_TRY(pom_sha256((char *)bytes + DIGEST, size - DIGEST, hex, msg));
    memcpy(bytes, hex, DIGEST);
    return POM_OK;
}

static enum pom_status read_header(const char *bytes, size_t n_bytes, struct header *out, struct pom_message *msg) {
    if (n_bytes < DIGEST + sizeof *out)
        return pom_fail(msg, POM_ERR_FORMAT, "the saved moments are truncated: take them again");
    memcpy(out, bytes + DIGEST, sizeof *out);
    if (memcmp(out->magic, magic, sizeof magic) != 0)
        return pom_fail(msg, POM_ERR_FORMAT, "these are no saved moments, or of another version of Pomona");
    if (out->d < 1 || out->d > POM_MOMENTS_MAX_D || n_bytes != saved_bytes(out->d))
        return pom_fail(msg, POM_ERR_FORMAT, "the saved moments are truncated: take them again");
    char hex[POM_SHA256_HEX];
    POM_TRY(pom_sha256(bytes + DIGEST, n_bytes - DIGEST, hex, msg));
    if (memcmp(bytes, hex, DIGEST) != 0)
        return pom_fail(msg, POM_ERR_FORMAT, "the saved moments are damaged (their checksum differs): take them again");
    return POM_OK;
}

static bool plausible(const struct pom_moments *m) {
    size_t d = m->mean.d;
    if (m->mean.count > UINT64_C(1) << 53) /* past what a double counts */
        return false;
    for (size_t i = 0; i < d; i++) {
        if (!isfinite(m->mean.mean[i]) || !(m->scatter[i * d + i] >= 0))
            return false;
        for (size_t j = i; j < d; j++)
            if (!isfinite(m->scatter[i * d + j]))
                return false;
    }
    return true;
}

enum pom_status pom_moments_load(const void *bytes, size_t n_bytes, struct pom_moments **out, struct pom_message *msg) {
    struct header header = {0};
    POM_TRY(read_header(bytes, n_bytes, &header, msg));
    struct pom_moments *m;
    POM_TRY(pom_moments_new(header.d, &m, msg));
    size_t d = m->mean.d;
    m->mean.count = header.count;
    const char *from = (const char *)bytes + DIGEST + sizeof header;
    memcpy(m->mean.mean, from, d * sizeof(double));
    from += d * sizeof(double);
    for (size_t i = 0; i < d; i++) {
        memcpy(m->scatter + i * d + i, from, (d - i) * sizeof(double));
        from += (d - i) * sizeof(double);
    }
    if (!plausible(m)) {
        pom_moments_free(m);
        return pom_fail(msg, POM_ERR_FORMAT, "the saved moments hold impossible values: take them again");
    }
    *out = m;
    return POM_OK;
}
