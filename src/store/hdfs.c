/* HDFS, by WebHDFS. */
#include "store/hdfs.h"

#include "store/examine.h"
#include "store/hdfs_json.h"
#include "store/uri.h"
#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_ANSWER = 1 << 20, OPEN_ATTEMPTS = 5, MAX_PATH = 8000 /* HDFS's own limit */, PASSWD_BYTES = 4096 };

static enum pom_status memory(struct pom_message *msg) {
    return pom_fail_memory(msg, "a request");
}

void pom_hdfs_version(uint64_t modified_ms, uint64_t size, char out[64]) {
    snprintf(out, 64, "%llu.%llu", (unsigned long long)modified_ms, (unsigned long long)size);
}

enum pom_status pom_hdfs_file_time(const char *file, uint64_t *ms, uint64_t *size, struct pom_message *msg) {
    struct stat st;
    if (stat(file, &st) != 0)
        return pom_fail_errno(msg, POM_ERR_IO, "%s", file);
    *ms = (uint64_t)st.st_mtim.tv_sec * 1000 + (uint64_t)st.st_mtim.tv_nsec / 1000000;
    *size = (uint64_t)st.st_size;
    return POM_OK;
}

enum pom_status pom_hdfs_call(
    const struct pom_hdfs *hdfs, const char *path, const char *op, struct pom_call *call, struct pom_message *msg) {
    bool good = pom_buffer_printf(&call->url, "%s://%s/webhdfs/v1", hdfs->tls ? "https" : "http", hdfs->host) &&
                pom_uri_encode(&call->url, path[hdfs->root] ? path + hdfs->root : "/", "/") &&
                pom_buffer_printf(&call->url, "?op=%s%s", op, hdfs->suffix.data);
    return good ? POM_OK : memory(msg);
}

static enum pom_status hdfs_get(struct pom_remote *remote, const struct pom_store_entry *entry, uint64_t at, uint64_t n,
    struct pom_call *call, struct pom_message *msg) {
    char op[96] = "OPEN";
    if (n)
        snprintf(op, sizeof op, "OPEN&offset=%llu&length=%llu", (unsigned long long)at, (unsigned long long)n);
    call->request.hedge = false; /* each of the two ways would be led to a place of its own */
    return pom_hdfs_call((const struct pom_hdfs *)remote, entry->path, op, call, msg);
}

static enum pom_status hdfs_probe(
    struct pom_remote *remote, const char *path, struct pom_call *call, struct pom_message *msg) {
    return pom_hdfs_call((const struct pom_hdfs *)remote, path, "OPEN&length=1", call, msg);
}

static enum pom_status hdfs_stat(
    struct pom_remote *remote, const char *path, struct pom_remote_object *out, struct pom_message *msg) {
    struct pom_call call = {.method = "GET",
        .missing_is_fine = true,
        .request = {.subject = path, .max_bytes = MAX_ANSWER, .most_attempts = OPEN_ATTEMPTS}};
    struct pom_hdfs_page page = {0};
    *out = (struct pom_remote_object){0};
    enum pom_status status = pom_hdfs_call((const struct pom_hdfs *)remote, path, "GETFILESTATUS", &call, msg);
    if (status == POM_OK)
        status = pom_remote_run(remote, &call, msg);
    if (status == POM_OK && call.request.answer->status != 404)
        status = pom_hdfs_page_parse(call.request.answer->answer.data, call.request.answer->answer.size, &page, msg);
    if (status == POM_OK && page.n == 1) {
        out->found = true;
        out->folder = page.entries->folder;
        out->size = page.entries->size;
        pom_hdfs_version(page.entries->modified_ms, page.entries->size, out->version);
    }
    pom_hdfs_page_clean_up(&page);
    pom_call_clean_up(&call);
    return status;
}

static enum pom_status hdfs_remove(
    struct pom_remote *remote, const char *path, struct pom_call *call, struct pom_message *msg) {
    return pom_hdfs_call((const struct pom_hdfs *)remote, path, "DELETE", call, msg);
}

/* "hdfs://host:port/path"; a host without a port is at the NameNode's usual one. */
static enum pom_status parse_location(struct pom_hdfs *hdfs, const char *location, struct pom_message *msg) {
    struct pom_buffer prefix = {0};
    hdfs->tls = tolower((unsigned char)*location) == 's';
    const char *host = strstr(location, "://") + 3, *path = host + strcspn(host, "/");
    size_t n = (size_t)(path - host), digits = n, length = strlen(path);
    while (digits > 0 && isdigit((unsigned char)host[digits - 1]))
        digits--;
    bool port = digits > 0 && digits < n && host[digits - 1] == ':';
    if (n == 0 || n + 8 > sizeof hdfs->host || strcspn(host, "?#@%\\ ") < n)
        return pom_fail(msg, POM_ERR_ARGUMENT,
            "%.200s names no NameNode: write hdfs://HOST:PORT/FOLDER with its web port (9870)", location);
    if (length > MAX_PATH)
        return pom_fail(msg, POM_ERR_ARGUMENT, "%.100s...: a path has at most %d bytes", location, MAX_PATH);
    snprintf(hdfs->host, sizeof hdfs->host, "%.*s%s", (int)n, host, port ? "" : hdfs->tls ? ":9871" : ":9870");
    while (length > 0 && path[length - 1] == '/')
        length--;
    hdfs->root = strlen(hdfs->tls ? "swebhdfs://" : "hdfs://") + n;
    if (!pom_buffer_printf(&prefix, "%s://%.*s%.*s", hdfs->tls ? "swebhdfs" : "hdfs", (int)n, host, (int)length, path))
        return memory(msg);
    hdfs->remote.store.prefix = prefix.data;
    return POM_OK;
}

/* Whose permissions count where the cluster asks for no more than a name. */
static enum pom_status find_user(struct pom_hdfs *hdfs, struct pom_message *msg) {
    const char *set = getenv("HADOOP_USER_NAME");
    struct passwd entry, *found = NULL;
    char texts[PASSWD_BYTES];
    if ((!set || !*set) && getpwuid_r(geteuid(), &entry, texts, sizeof texts, &found) == 0 && found)
        set = entry.pw_name;
    if (!set || !*set)
        return pom_fail(msg, POM_ERR_ARGUMENT, "this user has no name: set HADOOP_USER_NAME");
    snprintf(hdfs->user, sizeof hdfs->user, "%s", set);
    return POM_OK;
}

static enum pom_status read_identity(struct pom_hdfs *hdfs, struct pom_message *msg) {
    const char *token = getenv("HADOOP_DELEGATION_TOKEN");
    bool delegated = token && *token;
    if (delegated)
        snprintf(hdfs->user, sizeof hdfs->user, "the delegation token of HADOOP_DELEGATION_TOKEN");
    else
        POM_TRY(find_user(hdfs, msg));
    bool good = pom_buffer_text(&hdfs->suffix, delegated ? "&delegation=" : "&user.name=") &&
                pom_uri_encode(&hdfs->suffix, delegated ? token : hdfs->user, "");
    return good ? POM_OK : memory(msg);
}

static enum pom_status make_folder(struct pom_hdfs *hdfs, struct pom_message *msg) {
    const char *path = hdfs->remote.store.prefix;
    struct pom_call call = {.method = "PUT", .request = {.subject = path, .max_bytes = MAX_ANSWER}};
    enum pom_status status = pom_hdfs_call(hdfs, path, "MKDIRS", &call, msg);
    if (status == POM_OK)
        status = pom_remote_run(&hdfs->remote, &call, msg);
    if (status == POM_OK && pom_hdfs_is_false(call.request.answer->answer.data, call.request.answer->answer.size))
        status = pom_fail(msg, POM_ERR_IO, "%s: the folder cannot be made", path);
    pom_call_clean_up(&call);
    return status;
}

/* What the location names: a folder, which gets its slash, or one file. */
static enum pom_status hdfs_locate(struct pom_remote *remote, bool create, struct pom_message *msg) {
    struct pom_hdfs *hdfs = (struct pom_hdfs *)remote;
    struct pom_store *store = &hdfs->remote.store;
    struct pom_remote_object object;
    struct pom_buffer prefix = {0};
    POM_TRY(hdfs_stat(&hdfs->remote, store->prefix, &object, msg));
    if (!object.found && !create)
        return pom_fail(msg, POM_ERR_NOT_FOUND, "%s is not there", store->prefix);
    if (object.found && !object.folder && create)
        return pom_fail(msg, POM_ERR_ARGUMENT, "%s is a file: name a folder", store->prefix);
    if (!object.found)
        POM_TRY(make_folder(hdfs, msg));
    hdfs->folder = create || object.folder;
    if (!hdfs->folder)
        return POM_OK;
    if (!pom_buffer_printf(&prefix, "%s/", store->prefix))
        return memory(msg);
    free(store->prefix);
    store->prefix = prefix.data;
    return POM_OK;
}

static void hdfs_close(struct pom_store *store) {
    struct pom_hdfs *hdfs = (struct pom_hdfs *)store;
    pom_remote_clean_up(&hdfs->remote);
    pom_buffer_clean_up(&hdfs->suffix);
    free(hdfs);
}

static enum pom_status hdfs_prepare(
    struct pom_remote *remote, const char *location, const atomic_bool *cancel, struct pom_message *msg) {
    struct pom_hdfs *hdfs = (struct pom_hdfs *)remote;
    (void)cancel;
    POM_TRY(parse_location(hdfs, location, msg));
    return read_identity(hdfs, msg);
}

static const struct pom_remote_kind hdfs_kind = {
    .store = &pom_hdfs_store,
    .size = sizeof(struct pom_hdfs),
    .protocol = &pom_hdfs_protocol,
    .prepare = hdfs_prepare,
    .locate = hdfs_locate,
    .get = hdfs_get,
    .probe = hdfs_probe,
    .stat = hdfs_stat,
    .upload = pom_hdfs_upload,
    .remove = hdfs_remove,
};

static enum pom_status hdfs_open(
    const char *location, bool create, const atomic_bool *cancel, struct pom_store **out, struct pom_message *msg) {
    return pom_remote_open(&hdfs_kind, location, create, cancel, out, msg);
}

static enum pom_status hdfs_file_version(
    struct pom_store *store, const char *file, struct pom_buffer *version, struct pom_message *msg) {
    (void)store;
    uint64_t ms = 0, size = 0;
    char text[64];
    POM_TRY(pom_hdfs_file_time(file, &ms, &size, msg));
    pom_hdfs_version(ms, size, text);
    version->size = 0;
    return pom_buffer_text(version, text) ? POM_OK : memory(msg);
}

static void hdfs_examine(struct pom_store *store, bool write, const struct pom_examiner *examiner) {
    const struct pom_hdfs *hdfs = (const struct pom_hdfs *)store;
    (void)write;
    pom_examiner_tell(examiner, POM_FINDING_GOOD, "identity", "%.200s", hdfs->user);
    pom_examiner_tell(examiner, hdfs->tls ? POM_FINDING_GOOD : POM_FINDING_NOTE, "endpoint", "%.200s%s", hdfs->host,
        hdfs->tls ? "" : ": not encrypted on its way; swebhdfs:// is, where the cluster has TLS");
}

const struct pom_store_kind pom_hdfs_store = {
    .open = hdfs_open,
    .close = hdfs_close,
    .list = pom_hdfs_list,
    .read = pom_remote_read,
    .read_start = pom_remote_read_start,
    .cancel = pom_remote_cancel,
    .requests = pom_remote_requests,
    .version = pom_remote_version,
    .download = pom_remote_download,
    .publish = pom_remote_publish,
    .file_version = hdfs_file_version,
    .remove = pom_remote_remove,
    .note_read = pom_hdfs_note_read,
    .note_write = pom_hdfs_note_write,
    .note_remove = pom_remote_note_remove,
    .examine = hdfs_examine,
};
