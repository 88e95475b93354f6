#include "table/reader.h"

#include "base/file.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct pom_table_reader {
    struct pom_arena arena; /* columns' names, paths, metadata */
    struct pom_column wanted[POM_TABLE_MAX_COLUMNS];
    int n_wanted;
    const char **paths; /* of the parts, in the order of their names */
    size_t n_paths, capacity;
    size_t next; /* the part after the open one */
    struct pom_table_part part;
    struct pom_metadata *metadata; /* of the first part */
    size_t n_metadata, metadata_capacity;
};

static const struct pom_reader_ops *const ops_of[] = {
    [POM_FORMAT_PARQUET] = &pom_parquet_reader_ops,
    [POM_FORMAT_JSON] = &pom_json_reader_ops,
    [POM_FORMAT_CSV] = &pom_csv_reader_ops,
};

enum pom_status pom_table_null(struct pom_message *msg, const struct pom_column *column) {
    return pom_fail(msg, POM_ERR_FORMAT, "column \"%s\" is null", column->name);
}

const char *pom_column_type_name(enum pom_column_type type) {
    static const char *const names[] = {
        [POM_COLUMN_STRING] = "text",
        [POM_COLUMN_INT64] = "whole number",
        [POM_COLUMN_DOUBLE] = "number",
        [POM_COLUMN_FLOAT_LIST] = "list of floats or a vector",
        [POM_COLUMN_DOUBLE_LIST] = "list of floats or a vector",
        [POM_COLUMN_SPARK_VECTOR] = "list of floats or a vector",
    };
    return names[type];
}

static enum pom_status copy_wanted(
    struct pom_table_reader *reader, const struct pom_column *wanted, int n, struct pom_message *msg) {
    if (n < 1 || n > POM_TABLE_MAX_COLUMNS)
        return pom_fail(msg, POM_ERR_ARGUMENT, "1 to %d columns are read, not %d", POM_TABLE_MAX_COLUMNS, n);
    for (int i = 0; i < n; i++) {
        char *name = pom_arena_strdup(&reader->arena, wanted[i].name);
        if (!name)
            return pom_fail_memory(msg, "a table's columns");
        reader->wanted[i] = (struct pom_column){name, wanted[i].type};
    }
    reader->n_wanted = n;
    return POM_OK;
}

static bool add_path(struct pom_table_reader *reader, const char *path) {
    void *grown = (void *)reader->paths;
    char *copy = pom_arena_strdup(&reader->arena, path);
    if (!copy || !pom_grow(&grown, &reader->capacity, reader->n_paths + 1, sizeof *reader->paths))
        return false;
    reader->paths = grown;
    reader->paths[reader->n_paths++] = copy;
    return true;
}

/* Spark and Hadoop begin the names of what is not data with _ or a dot. */
static bool is_part(const char *name) {
    enum pom_format format;
    return name[0] != '_' && name[0] != '.' && pom_format_of_path(name, &format, NULL) == POM_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum pom_status list_parts(
    struct pom_table_reader *reader, const char *folder, DIR *dir, struct pom_message *msg) {
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (!is_part(entry->d_name))
            continue;
        char *path = pom_path_join(folder, entry->d_name);
        bool added = path && add_path(reader, path);
        free(path);
        if (!added)
            return pom_fail_memory(msg, folder);
    }
    if (reader->n_paths == 0)
        return pom_fail(msg, POM_ERR_NOT_FOUND, "the folder %s holds no .parquet, .json or .csv files", folder);
    qsort((void *)reader->paths, reader->n_paths, sizeof *reader->paths, by_name);
    return POM_OK;
}

static enum pom_status find_parts(struct pom_table_reader *reader, const char *path, struct pom_message *msg) {
    DIR *dir = opendir(path);
    if (!dir && errno != ENOTDIR && errno != ENOENT)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot list %s", path);
    if (!dir)
        return add_path(reader, path) ? POM_OK : pom_fail_memory(msg, path);
    enum pom_status status = list_parts(reader, path, dir, msg);
    closedir(dir);
    return status;
}

static void close_part(struct pom_table_part *part) {
    if (part->ops)
        part->ops->clean_up(part->state);
    if (part->file)
        fclose(part->file);
    *part = (struct pom_table_part){0};
}

static enum pom_status open_part(struct pom_table_reader *reader, size_t index, struct pom_message *msg) {
    struct pom_table_part *part = &reader->part;
    const char *path = reader->paths[index];
    enum pom_format format;
    close_part(part);
    POM_TRY(pom_format_of_path(path, &format, msg));
    part->file = fopen(path, "rbe");
    if (!part->file)
        return pom_fail_errno(msg, errno == ENOENT ? POM_ERR_NOT_FOUND : POM_ERR_IO, "cannot open %s", path);
    part->ops = ops_of[format];
    part->path = path;
    part->wanted = reader->wanted;
    part->n_wanted = reader->n_wanted;
    reader->next = index + 1;
    enum pom_status status = part->ops->begin(part, msg);
    return status == POM_OK ? POM_OK : pom_fail_in(msg, status, "%s", path);
}

static enum pom_status keep_metadata(struct pom_table_reader *reader, struct pom_message *msg) {
    const struct pom_reader_ops *ops = reader->part.ops;
    struct pom_metadata entry;
    for (int i = 0; ops && ops->metadata && ops->metadata(&reader->part, i, &entry); i++) {
        void *grown = reader->metadata;
        entry.key = pom_arena_strdup(&reader->arena, entry.key ? entry.key : "");
        entry.value = pom_arena_strdup(&reader->arena, entry.value ? entry.value : "");
        if (!entry.key || !entry.value ||
            !pom_grow(&grown, &reader->metadata_capacity, reader->n_metadata + 1, sizeof entry))
            return pom_fail_memory(msg, "a table's metadata");
        reader->metadata = grown;
        reader->metadata[reader->n_metadata++] = entry;
    }
    return POM_OK;
}

static enum pom_status begin(struct pom_table_reader *reader, const char *path, const struct pom_column *wanted,
    int n_wanted, struct pom_message *msg) {
    POM_TRY(copy_wanted(reader, wanted, n_wanted, msg));
    POM_TRY(find_parts(reader, path, msg));
    POM_TRY(open_part(reader, 0, msg));
    return keep_metadata(reader, msg);
}

enum pom_status pom_table_open(const char *path, const struct pom_column *wanted, int n_wanted,
    struct pom_table_reader **out, struct pom_message *msg) {
    *out = NULL;
    struct pom_table_reader *reader = pom_calloc(1, sizeof *reader);
    if (!reader)
        return pom_fail_memory(msg, path);
    enum pom_status status = begin(reader, path, wanted, n_wanted, msg);
    if (status != POM_OK) {
        pom_table_close(reader);
        return status;
    }
    *out = reader;
    return POM_OK;
}

enum pom_status pom_table_read(
    struct pom_table_reader *reader, struct pom_cell *cells, bool *done, struct pom_message *msg) {
    for (;;) {
        struct pom_table_part *part = &reader->part;
        if (!part->ops)
            return pom_fail(msg, POM_ERR_IO, "the table is no longer open after an earlier failure");
        enum pom_status status = part->ops->read(part, cells, done, msg);
        if (status != POM_OK)
            return pom_fail_in(msg, status, "%s, row %" PRIu64, part->path, part->rows + 1);
        if (!*done) {
            part->rows++;
            return POM_OK;
        }
        if (reader->next == reader->n_paths)
            return POM_OK;
        POM_TRY(open_part(reader, reader->next, msg));
    }
}

enum pom_status pom_table_rewind(struct pom_table_reader *reader, struct pom_message *msg) {
    return open_part(reader, 0, msg);
}

const char *pom_table_metadata(const struct pom_table_reader *reader, const char *key) {
    for (size_t i = 0; i < reader->n_metadata; i++)
        if (strcmp(reader->metadata[i].key, key) == 0)
            return reader->metadata[i].value;
    return NULL;
}

void pom_table_close(struct pom_table_reader *reader) {
    if (!reader)
        return;
    close_part(&reader->part);
    pom_arena_clean_up(&reader->arena);
    free((void *)reader->paths);
    free(reader->metadata);
    free(reader);
}
