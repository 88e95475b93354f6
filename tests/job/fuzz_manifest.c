/* Any bytes as what a job finds beside its tables, in a bucket that others may write to as well: the manifest, with the
 * note on the precision in it, or the receipt (what begins with '{'). Whatever opens must be readable to its end. */
#include "base/file.h"
#include "job/choice.h"
#include "job/made_with.h"
#include "job/manifest.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_ROWS = 100000 };

static void walk(struct pom_manifest *manifest) {
    struct pom_manifest_cursor *cursor;
    const struct pom_manifest_row *row;
    char *last = NULL;
    if (pom_manifest_cursor_new(manifest, &cursor, NULL) != POM_OK)
        return;
    for (int n = 0; pom_manifest_cursor_next(cursor, &row, NULL) == POM_OK && row; n++) {
        if (n == MOST_ROWS || (last && strcmp(last, row->path) >= 0) || row->record < 0 ||
            row->failed > POM_STAGE_INFER || row->place > POM_PLACE_TABLE)
            abort();
        free(last);
        last = strdup(row->path);
    }
    free(last);
    pom_manifest_cursor_free(cursor);
}

static void fuzz_manifest(const char *path) {
    struct pom_manifest *manifest;
    struct pom_manifest_counts counts;
    struct pom_choice choice;
    struct pom_buffer calibration = {0};
    bool found;
    if (pom_manifest_open(path, &manifest, NULL) != POM_OK)
        return;
    walk(manifest);
    pom_manifest_count(manifest, &counts, NULL);
    pom_choice_read(manifest, &choice, &calibration, &found, NULL);
    pom_manifest_drop(manifest, true, 3, NULL);
    if (pom_manifest_settle(manifest, NULL) == POM_OK)
        walk(manifest);
    pom_manifest_purge(manifest, NULL);
    pom_manifest_commit(manifest, NULL);
    pom_manifest_close(manifest);
    pom_buffer_clean_up(&calibration);
}

static void fuzz_receipt(const char *folder) {
    struct pom_store *store;
    struct pom_made_with made = {0};
    if (pom_store_open(folder, true, NULL, &store, NULL) != POM_OK)
        return;
    if (pom_made_with_read(store, &made, NULL) == POM_OK && (!made.model || !json_is_array(made.sources)))
        abort();
    pom_made_with_clean_up(&made);
    pom_store_close(store);
}

static void remove_all(const char *folder) {
    static const char *const names[] = {
        "run.json", "manifest.sqlite", "manifest.sqlite-wal", "manifest.sqlite-journal", ".pomona"};
    char path[96];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    remove(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char folder[64], path[96];
    bool receipt = size && data[0] == '{';
    snprintf(folder, sizeof folder, "/dev/shm/pomona-fuzz-manifest-%ld", (long)getpid());
    snprintf(path, sizeof path, "%s/%s", folder, receipt ? "run.json" : "manifest.sqlite");
    if (pom_make_folders(folder, NULL) != POM_OK)
        return 0;
    FILE *file = fopen(path, "wb");
    if (file) {
        fwrite(data, 1, size, file);
        fclose(file);
        if (receipt)
            fuzz_receipt(folder);
        else
            fuzz_manifest(path);
    }
    remove_all(folder);
    return 0;
}
