#include "golden.h"

#include "base/file.h"
#include "base/hash.h"
#include "cmocka_include.h"
#include <string.h>

const char *golden_folder;

FILE *golden_list(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", golden_folder, name);
    FILE *list = fopen(path, "r");
    if (!list)
        fail_msg("cannot open %s", path);
    return list;
}

void golden_read(const char *name, struct pom_buffer *out) {
    char path[4096];
    struct pom_message msg;
    snprintf(path, sizeof path, "%s/files/%s", golden_folder, name);
    if (pom_file_read(path, (size_t)1 << 20, out, &msg) != POM_OK)
        fail_msg("%s", msg.text);
}

void golden_decode(const char *name, struct pom_image *out) {
    struct pom_buffer bytes = {0};
    struct pom_message msg;
    golden_read(name, &bytes);
    if (pom_image_decode(bytes.data, bytes.size, NULL, out, &msg) != POM_OK)
        fail_msg("%s: %s", name, msg.text);
    pom_buffer_clean_up(&bytes);
}

bool golden_hash_is(const void *data, size_t n_bytes, const char *hash) {
    char hex[POM_SHA256_HEX];
    return pom_sha256(data, n_bytes, hex, NULL) == POM_OK && strncmp(hex, hash, 16) == 0;
}

size_t image_bytes(const struct pom_image *image) {
    return (size_t)image->width * (size_t)image->height * 3;
}
