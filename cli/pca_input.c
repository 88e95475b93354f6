#include "pca_input.h"

#include "base/file.h"
#include "interrupt.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const endings[] = {"parquet", "json", "csv"};
enum { N_ENDINGS = sizeof endings / sizeof *endings };

static enum pom_status open_local(
    struct pom_pca_input *input, const char *location, const char *stem, struct pom_message *msg) {
    for (size_t i = 0; i < N_ENDINGS; i++) {
        input->path.size = 0;
        if (!pom_buffer_printf(&input->path, "%s/%s.%s", location, stem, endings[i]))
            return pom_fail_memory(msg, location);
        if (pom_file_exists(input->path.data))
            return POM_OK;
    }
    input->path.size = 0;
    if (!pom_buffer_text(&input->path, location))
        return pom_fail_memory(msg, location);
    return pom_file_exists(location) ? POM_OK : pom_fail(msg, POM_ERR_NOT_FOUND, "there is no table %s", location);
}

static enum pom_status find(struct pom_pca_input *input, const char *stem, struct pom_message *msg) {
    const char *prefix = pom_store_prefix(input->store);
    struct pom_buffer version = {0};
    enum pom_status status = POM_OK;
    if (prefix[strlen(prefix) - 1] != '/')
        return POM_OK;
    for (size_t i = 0; i < N_ENDINGS && status == POM_OK && !version.size; i++) {
        snprintf(input->name, sizeof input->name, "%s.%s", stem, endings[i]);
        status = pom_store_version(input->store, input->name, &version, msg);
    }
    if (status == POM_OK && !version.size)
        status = pom_fail(msg, POM_ERR_NOT_FOUND,
            "there is no %s.%s in %s: name a table, or the DEST of pomona features (a folder of part files has to be "
            "on this machine)",
            stem, endings[0], prefix);
    pom_buffer_clean_up(&version);
    return status;
}

enum pom_status pom_pca_input_open(
    struct pom_pca_input *input, const char *location, const char *stem, struct pom_message *msg) {
    if (!strstr(location, "://"))
        return open_local(input, location, stem, msg);
    POM_TRY(pom_store_open(location, false, pom_catch_interrupts(), &input->store, msg));
    return find(input, stem, msg);
}

void pom_pca_input_close(struct pom_pca_input *input) {
    pom_store_close(input->store);
    pom_buffer_clean_up(&input->path);
}

/* A table's format is told by its ending. */
enum pom_status pom_pca_input_fetch(
    struct pom_pca_input *input, const char *folder, const char *name, struct pom_message *msg) {
    if (!input->store)
        return POM_OK;
    const char *ending = strrchr(*input->name ? input->name : pom_store_prefix(input->store), '.');
    if (!pom_buffer_printf(&input->path, "%s/%s%s", folder, name, ending && !strchr(ending, '/') ? ending : ""))
        return pom_fail_memory(msg, name);
    return pom_store_download(input->store, input->name, input->path.data, msg);
}

void pom_pca_input_drop(struct pom_pca_input *input) {
    if (input->store && input->path.size)
        unlink(input->path.data);
}
