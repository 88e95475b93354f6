#include "job/manifest.h"

#include "base/memory.h"
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum statement { SQL_PUT, SQL_MISS, SQL_AFTER, SQL_GET, SQL_SET, SQL_DROP, SQL_COUNT, SQL_COUNT_OF };

static const char *const statements[SQL_COUNT_OF] = {
    [SQL_PUT] = "INSERT OR REPLACE INTO item VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SQL_MISS] = "INSERT OR IGNORE INTO missing VALUES (?1)",
    [SQL_AFTER] = "SELECT path, size, version, failed, cause, place, record FROM item WHERE path > ?1 ORDER BY path "
                  "LIMIT ?2",
    [SQL_GET] = "SELECT value FROM note WHERE name = ?1",
    [SQL_SET] = "INSERT OR REPLACE INTO note VALUES (?1, ?2)",
    [SQL_DROP] = "DELETE FROM item WHERE (place = 2 AND ?1) OR (place = 1 AND record >= ?2)",
    [SQL_COUNT] = "SELECT count(*) FILTER (WHERE failed = 0), count(*) FILTER (WHERE failed != 0), "
                  "max(record + 1) FILTER (WHERE place = 1) FROM item",
};

/* WAL with an exclusive lock needs no shared memory, so it works on network file systems too; NORMAL survives any kill
 * of the process, and a power cut up to the last checkpoint. */
static const char schema[] = "PRAGMA locking_mode = EXCLUSIVE;"
                             "PRAGMA journal_mode = WAL;"
                             "PRAGMA synchronous = NORMAL;"
                             "CREATE TABLE IF NOT EXISTS item(path BLOB PRIMARY KEY, size INTEGER, version TEXT,"
                             " failed INTEGER, cause TEXT, place INTEGER, record INTEGER) WITHOUT ROWID;"
                             "CREATE TABLE IF NOT EXISTS note(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
                             "CREATE TEMP TABLE missing(path BLOB PRIMARY KEY) WITHOUT ROWID;"
                             "BEGIN";

struct pom_manifest {
    pthread_mutex_t mutex; /* guards all below */
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT_OF];
    char *path;
};

const char *pom_stage_name(enum pom_stage stage) {
    static const char *const names[] = {"none", "list", "read", "decode", "infer"};
    return (size_t)stage < sizeof names / sizeof *names ? names[stage] : "none";
}

/* What the system says of the disk, where SQLite knows it. */
static enum pom_status disk_failed(const struct pom_manifest *manifest, int code, struct pom_message *msg) {
    int cause = sqlite3_system_errno(manifest->db);
    errno = code == SQLITE_FULL && !cause ? ENOSPC : code == SQLITE_READONLY && !cause ? EROFS : cause;
    if (errno)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot write %s", manifest->path);
    return pom_fail(msg, POM_ERR_IO, "cannot read or write %s: %s", manifest->path, sqlite3_errmsg(manifest->db));
}

static enum pom_status sql_failed(const struct pom_manifest *manifest, struct pom_message *msg) {
    int code = sqlite3_errcode(manifest->db) & 0xff; /* without its details */
    if (code == SQLITE_NOMEM)
        return pom_fail_memory(msg, manifest->path);
    if (code == SQLITE_FULL || code == SQLITE_READONLY || code == SQLITE_IOERR || code == SQLITE_CANTOPEN)
        return disk_failed(manifest, code, msg);
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR)
        return pom_fail(msg, POM_ERR_FORMAT, "%s is damaged (%s): --fresh starts anew", manifest->path,
            sqlite3_errmsg(manifest->db));
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return pom_fail(msg, POM_ERR_CONFLICT, "%s is in use by another program: wait until it ends", manifest->path);
    return pom_fail(msg, POM_ERR_IO, "%s: %s", manifest->path, sqlite3_errmsg(manifest->db));
}

static enum pom_status run_sql(struct pom_manifest *manifest, const char *sql, struct pom_message *msg) {
    pthread_mutex_lock(&manifest->mutex);
    int code = sqlite3_exec(manifest->db, sql, NULL, NULL, NULL);
    enum pom_status status = code == SQLITE_OK ? POM_OK : sql_failed(manifest, msg);
    pthread_mutex_unlock(&manifest->mutex);
    return status;
}

/* A file from a bucket runs nothing of its own. */
static void distrust(sqlite3 *db) {
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
}

static enum pom_status prepare(struct pom_manifest *manifest, struct pom_message *msg) {
    distrust(manifest->db);
    POM_TRY(run_sql(manifest, schema, msg));
    for (int i = 0; i < SQL_COUNT_OF; i++)
        if (sqlite3_prepare_v3(manifest->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &manifest->statements[i],
                NULL) != SQLITE_OK)
            return sql_failed(manifest, msg);
    return POM_OK;
}

enum pom_status pom_manifest_open(const char *path, struct pom_manifest **out, struct pom_message *msg) {
    *out = NULL;
    struct pom_manifest *manifest = pom_calloc(1, sizeof *manifest);
    if (!manifest)
        return pom_fail_memory(msg, path);
    pthread_mutex_init(&manifest->mutex, NULL);
    manifest->path = strdup(path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    enum pom_status status = POM_OK;
    if (!manifest->path)
        status = pom_fail_memory(msg, path);
    else if (sqlite3_open_v2(path, &manifest->db, flags, NULL) != SQLITE_OK)
        status = sql_failed(manifest, msg);
    else
        status = prepare(manifest, msg);
    if (status != POM_OK)
        pom_manifest_close(manifest);
    else
        *out = manifest;
    return status;
}

void pom_manifest_close(struct pom_manifest *manifest) {
    if (!manifest)
        return;
    for (int i = 0; i < SQL_COUNT_OF; i++)
        sqlite3_finalize(manifest->statements[i]);
    sqlite3_close(manifest->db);
    pthread_mutex_destroy(&manifest->mutex);
    free(manifest->path);
    free(manifest);
}

/* Both databases are the caller's. */
static bool copy_pages(sqlite3 *from, sqlite3 *to) {
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    bool whole = backup && sqlite3_backup_step(backup, -1) == SQLITE_DONE;
    return backup && sqlite3_backup_finish(backup) == SQLITE_OK && whole;
}

enum pom_status pom_manifest_copy(struct pom_manifest *manifest, const char *path, struct pom_message *msg) {
    sqlite3 *to = NULL;
    if (unlink(path) != 0 && errno != ENOENT)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot remove %s", path);
    pthread_mutex_lock(&manifest->mutex);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    bool good = sqlite3_open_v2(path, &to, flags, NULL) == SQLITE_OK && copy_pages(manifest->db, to);
    enum pom_status status = good ? POM_OK : pom_fail(msg, POM_ERR_IO, "cannot write %s: %s", path, sqlite3_errmsg(to));
    pthread_mutex_unlock(&manifest->mutex);
    sqlite3_close(to);
    return status;
}

/* Takes the statement, with the lock that it is used under; release() gives both back. */
static sqlite3_stmt *take(struct pom_manifest *manifest, enum statement which) {
    pthread_mutex_lock(&manifest->mutex);
    return manifest->statements[which];
}

static enum pom_status release(
    struct pom_manifest *manifest, sqlite3_stmt *statement, bool well, struct pom_message *msg) {
    enum pom_status status = well ? POM_OK : sql_failed(manifest, msg);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    pthread_mutex_unlock(&manifest->mutex);
    return status;
}

/* Texts are bound without a copy: they live until the statement is released. */
static void bind_path(sqlite3_stmt *statement, const char *path) {
    sqlite3_bind_blob64(statement, 1, path, strlen(path), SQLITE_STATIC);
}

enum pom_status pom_manifest_put(
    struct pom_manifest *manifest, const struct pom_manifest_row *row, struct pom_message *msg) {
    sqlite3_stmt *s = take(manifest, SQL_PUT);
    bind_path(s, row->path);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)row->size);
    sqlite3_bind_text(s, 3, row->version, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 4, (int)row->failed);
    sqlite3_bind_text(s, 5, row->cause, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 6, (int)row->place);
    sqlite3_bind_int64(s, 7, row->record);
    return release(manifest, s, sqlite3_step(s) == SQLITE_DONE, msg);
}

enum pom_status pom_manifest_miss(struct pom_manifest *manifest, const char *path, struct pom_message *msg) {
    sqlite3_stmt *s = take(manifest, SQL_MISS);
    bind_path(s, path);
    return release(manifest, s, sqlite3_step(s) == SQLITE_DONE, msg);
}

enum pom_status pom_manifest_purge(struct pom_manifest *manifest, struct pom_message *msg) {
    return run_sql(manifest, "DELETE FROM item WHERE path IN (SELECT path FROM missing); DELETE FROM missing", msg);
}

enum pom_status pom_manifest_settle(struct pom_manifest *manifest, struct pom_message *msg) {
    return run_sql(manifest,
        "UPDATE item SET place = 2, record = numbered.number FROM"
        " (SELECT path AS known, row_number() OVER (ORDER BY path) - 1 AS number FROM item WHERE failed = 0) AS "
        "numbered"
        " WHERE path = numbered.known",
        msg);
}

enum pom_status pom_manifest_drop(struct pom_manifest *manifest, bool table, int64_t records, struct pom_message *msg) {
    sqlite3_stmt *s = take(manifest, SQL_DROP);
    sqlite3_bind_int(s, 1, table);
    sqlite3_bind_int64(s, 2, records);
    return release(manifest, s, sqlite3_step(s) == SQLITE_DONE, msg);
}

enum pom_status pom_manifest_commit(struct pom_manifest *manifest, struct pom_message *msg) {
    return run_sql(manifest, "COMMIT; BEGIN", msg);
}

enum pom_status pom_manifest_get(
    struct pom_manifest *manifest, const char *name, struct pom_buffer *value, struct pom_message *msg) {
    sqlite3_stmt *s = take(manifest, SQL_GET);
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    int code = sqlite3_step(s);
    const void *bytes = code == SQLITE_ROW ? sqlite3_column_blob(s, 0) : NULL;
    value->size = 0;
    bool copied = pom_buffer_append(value, bytes ? bytes : "", bytes ? (size_t)sqlite3_column_bytes(s, 0) : 0);
    enum pom_status status = release(manifest, s, code == SQLITE_ROW || code == SQLITE_DONE, msg);
    return status == POM_OK && !copied ? pom_fail_memory(msg, manifest->path) : status;
}

enum pom_status pom_manifest_set(
    struct pom_manifest *manifest, const char *name, const char *value, struct pom_message *msg) {
    sqlite3_stmt *s = take(manifest, SQL_SET);
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, value, -1, SQLITE_STATIC);
    return release(manifest, s, sqlite3_step(s) == SQLITE_DONE, msg);
}

enum pom_status pom_manifest_set_bytes(
    struct pom_manifest *manifest, const char *name, const void *bytes, size_t n, struct pom_message *msg) {
    sqlite3_stmt *s = take(manifest, SQL_SET);
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(s, 2, bytes, n, SQLITE_STATIC);
    return release(manifest, s, sqlite3_step(s) == SQLITE_DONE, msg);
}

enum pom_status pom_manifest_count(
    struct pom_manifest *manifest, struct pom_manifest_counts *out, struct pom_message *msg) {
    sqlite3_stmt *s = take(manifest, SQL_COUNT);
    int code = sqlite3_step(s);
    if (code == SQLITE_ROW)
        *out = (struct pom_manifest_counts){
            (uint64_t)sqlite3_column_int64(s, 0), (uint64_t)sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2)};
    return release(manifest, s, code == SQLITE_ROW, msg);
}

/* --- the cursor --- */

enum { BLOCK_ROWS = 256 };

struct pom_manifest_cursor {
    struct pom_manifest *manifest;
    struct pom_arena strings; /* of the block */
    struct pom_manifest_row rows[BLOCK_ROWS];
    int n, at;
    char *last; /* path of the last row of the block: the next block begins after it */
};

enum pom_status pom_manifest_cursor_new(
    struct pom_manifest *manifest, struct pom_manifest_cursor **out, struct pom_message *msg) {
    *out = pom_calloc(1, sizeof **out);
    if (!*out || !((*out)->last = strdup(""))) {
        free(*out);
        *out = NULL;
        return pom_fail_memory(msg, manifest->path);
    }
    (*out)->manifest = manifest;
    (*out)->n = (*out)->at = BLOCK_ROWS; /* a full block, done with */
    return POM_OK;
}

void pom_manifest_cursor_free(struct pom_manifest_cursor *cursor) {
    if (!cursor)
        return;
    pom_arena_clean_up(&cursor->strings);
    free(cursor->last);
    free(cursor);
}

static const char *copy_column(struct pom_arena *arena, sqlite3_stmt *s, int column) {
    const void *data = sqlite3_column_blob(s, column);
    size_t size = (size_t)sqlite3_column_bytes(s, column);
    char *copy = pom_arena_alloc(arena, size + 1, 1);
    if (copy && size)
        memcpy(copy, data, size);
    return copy;
}

/* One that lay in a bucket may have been written by anybody, and a damaged index has no order. */
static bool is_sound(const struct pom_manifest_row *row, size_t path_bytes, const char *after) {
    return strcmp(row->path, after) > 0 && row->failed <= POM_STAGE_INFER && row->place <= POM_PLACE_TABLE &&
           row->record >= 0 && strlen(row->path) == path_bytes;
}

/* after: the path before it. */
static enum pom_status read_row(
    struct pom_arena *strings, sqlite3_stmt *s, const char *after, struct pom_manifest_row *row) {
    *row = (struct pom_manifest_row){
        .path = copy_column(strings, s, 0),
        .size = (uint64_t)sqlite3_column_int64(s, 1),
        .version = copy_column(strings, s, 2),
        .failed = (enum pom_stage)sqlite3_column_int(s, 3),
        .cause = copy_column(strings, s, 4),
        .place = (enum pom_place)sqlite3_column_int(s, 5),
        .record = sqlite3_column_int64(s, 6),
    };
    if (!row->path || !row->version || !row->cause)
        return POM_ERR_MEMORY;
    return is_sound(row, (size_t)sqlite3_column_bytes(s, 0), after) ? POM_OK : POM_ERR_FORMAT;
}

static enum pom_status read_block(struct pom_manifest_cursor *cursor, struct pom_message *msg) {
    int code;
    enum pom_status status = POM_OK;
    pom_arena_clean_up(&cursor->strings);
    cursor->n = cursor->at = 0;
    sqlite3_stmt *s = take(cursor->manifest, SQL_AFTER);
    bind_path(s, cursor->last);
    sqlite3_bind_int(s, 2, BLOCK_ROWS);
    while (status == POM_OK && cursor->n < BLOCK_ROWS && (code = sqlite3_step(s)) == SQLITE_ROW) {
        struct pom_manifest_row *row = &cursor->rows[cursor->n];
        status = read_row(&cursor->strings, s, cursor->n ? row[-1].path : cursor->last, row);
        cursor->n++;
    }
    POM_TRY(release(cursor->manifest, s, status != POM_OK || cursor->n == BLOCK_ROWS || code == SQLITE_DONE, msg));
    if (status == POM_ERR_FORMAT)
        return pom_fail(
            msg, status, "%s is damaged (a row that no job writes): --fresh starts anew", cursor->manifest->path);
    char *last = status == POM_OK && cursor->n ? strdup(cursor->rows[cursor->n - 1].path) : NULL;
    if (status != POM_OK || (cursor->n && !last))
        return pom_fail_memory(msg, cursor->manifest->path);
    if (last) {
        free(cursor->last);
        cursor->last = last;
    }
    return POM_OK;
}

enum pom_status pom_manifest_cursor_next(
    struct pom_manifest_cursor *cursor, const struct pom_manifest_row **out, struct pom_message *msg) {
    if (cursor->at == cursor->n && cursor->n == BLOCK_ROWS)
        POM_TRY(read_block(cursor, msg));
    *out = cursor->at < cursor->n ? &cursor->rows[cursor->at++] : NULL;
    return POM_OK;
}
