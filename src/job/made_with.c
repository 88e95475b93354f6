#include "job/made_with.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool parse_precision(const char *name, enum pom_precision *out) {
    for (int i = POM_PRECISION_EXACT; i <= POM_PRECISION_INT8; i++) {
        *out = (enum pom_precision)i;
        if (strcmp(name, pom_precision_name(*out)) == 0)
            return true;
    }
    return false;
}

static bool take(struct pom_made_with *out) {
    const json_t *file, *sha256, *layer;
    const char *resize, *precision, *format;
    json_int_t rows;
    if (json_unpack(out->json, "{s:{s:s, s:o, s:o, s:o, s:i, s:i}, s:{s:o, s:s, s:s, s:s}, s:{s:s}, s:{s:I}}", "model",
            "name", &out->model, "file", &file, "sha256", &sha256, "output_layer", &layer, "width", &out->width,
            "height", &out->height, "settings", "sources", &out->sources, "resize", &resize, "preprocess",
            &out->preprocess, "format", &format, "precision", "used", &precision, "counts", "rows", &rows) != 0)
        return false;
    out->model_file = json_string_value(file); /* NULL of null */
    out->sha256 = json_string_value(sha256);
    out->output_layer = out->model_file ? json_string_value(layer) : NULL; /* pixels cannot be asked for theirs */
    if (strcmp(out->preprocess, "none") == 0)
        out->preprocess = NULL;
    out->rows = (uint64_t)rows;
    return rows >= 0 && json_is_array(out->sources) && pom_filter_parse(resize, &out->filter, NULL) == POM_OK &&
           pom_format_parse(format, &out->format, NULL) == POM_OK && parse_precision(precision, &out->precision);
}

static enum pom_status fetch(struct pom_store *store, struct pom_buffer *path, struct pom_message *msg) {
    enum pom_status status = pom_store_version(store, "run.json", path, msg);
    if (status == POM_OK && path->size == 0)
        return pom_fail(msg, POM_ERR_NOT_FOUND, "%s holds no run.json, so no finished run of `pomona features`",
            pom_store_prefix(store));
    return status == POM_OK ? pom_store_fetch(store, "run.json", path, msg) : status;
}

enum pom_status pom_made_with_read(struct pom_store *store, struct pom_made_with *out, struct pom_message *msg) {
    struct pom_buffer path = {0};
    json_error_t error;
    enum pom_status status = fetch(store, &path, msg);
    if (status == POM_OK && !(out->json = json_load_file(path.data, JSON_REJECT_DUPLICATES, &error)))
        status =
            pom_fail(msg, POM_ERR_FORMAT, "%srun.json, line %d: %s", pom_store_prefix(store), error.line, error.text);
    if (status == POM_OK && !take(out))
        status = pom_fail(msg, POM_ERR_FORMAT,
            "%srun.json does not say what its tables were made with: run `pomona features` again, which renews it",
            pom_store_prefix(store));
    if (path.size && pom_store_reads_ahead(store))
        unlink(path.data); /* a copy */
    pom_buffer_clean_up(&path);
    return status;
}

void pom_made_with_clean_up(struct pom_made_with *made) {
    json_decref(made->json);
    *made = (struct pom_made_with){0};
}
