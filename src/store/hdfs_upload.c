/* Files to HDFS: written under a hidden name beside their own, then renamed over what is there. */
#include "base/file.h"
#include "store/hdfs.h"
#include "store/hdfs_json.h"
#include "store/uri.h"
#include <stdio.h>
#include <string.h>

enum { MAX_ANSWER = 1 << 20 };

struct upload {
    struct pom_remote *remote;
    const char *path;            /* of the file in HDFS */
    struct pom_buffer temporary; /* the path it has first */
    struct pom_map map;
};

/* PUT with an operation, and the body where there is one. */
static enum pom_status put(const struct upload *upload, const char *path, const char *op, const struct pom_map *body,
    struct pom_message *msg) {
    struct pom_call call = {.method = "PUT", .request = {.subject = upload->path, .max_bytes = MAX_ANSWER}};
    if (body) {
        call.body = body->data;
        call.body_size = body->size;
        call.request.deadline_ms = pom_remote_deadline_ms(body->size);
    }
    enum pom_status status = pom_hdfs_call((const struct pom_hdfs *)upload->remote, path, op, &call, msg);
    if (status == POM_OK && !pom_call_header(&call, "Content-Type", "application/octet-stream"))
        status = pom_fail_memory(msg, upload->path);
    if (status == POM_OK)
        status = pom_remote_run(upload->remote, &call, msg);
    if (status == POM_OK && pom_hdfs_is_false(call.request.answer->answer.data, call.request.answer->answer.size))
        status = pom_fail(msg, POM_ERR_UNSUPPORTED,
            "%s: the server does not replace files by renaming, as HttpFS: name the NameNode's own web port",
            upload->path);
    pom_call_clean_up(&call);
    return status;
}

/* The file gets the local one's time, so that its version is known before it is published. */
static enum pom_status set_time(const struct upload *upload, const char *file, struct pom_message *msg) {
    char op[64];
    uint64_t ms = 0, size = 0;
    POM_TRY(pom_hdfs_file_time(file, &ms, &size, msg));
    snprintf(op, sizeof op, "SETTIMES&modificationtime=%llu", (unsigned long long)ms);
    return put(upload, upload->temporary.data, op, NULL, msg);
}

/* With its option a rename replaces what is there, and answers with no word; a server that does not know the option
 * answers "false" where something is there. */
static enum pom_status replace(const struct upload *upload, struct pom_message *msg) {
    const struct pom_hdfs *hdfs = (const struct pom_hdfs *)upload->remote;
    struct pom_buffer op = {0};
    bool good = pom_buffer_text(&op, "RENAME&renameoptions=OVERWRITE&destination=") &&
                pom_uri_encode(&op, upload->path + hdfs->root, "");
    enum pom_status status =
        good ? put(upload, upload->temporary.data, op.data, NULL, msg) : pom_fail_memory(msg, upload->path);
    pom_buffer_clean_up(&op);
    return status;
}

static enum pom_status send(struct upload *upload, const char *file, struct pom_message *msg) {
    const char *name = strrchr(upload->path, '/') + 1;
    if (!pom_buffer_printf(&upload->temporary, "%.*s.%s.pomona-part", (int)(name - upload->path), upload->path, name))
        return pom_fail_memory(msg, upload->path);
    POM_TRY(put(upload, upload->temporary.data, "CREATE&overwrite=true", &upload->map, msg));
    POM_TRY(set_time(upload, file, msg));
    return replace(upload, msg);
}

enum pom_status pom_hdfs_upload(
    struct pom_remote *remote, const char *file, const char *path, struct pom_message *msg) {
    struct upload upload = {.remote = remote, .path = path};
    POM_TRY(pom_file_map(file, &upload.map, msg));
    enum pom_status status = send(&upload, file, msg);
    pom_file_unmap(&upload.map);
    pom_buffer_clean_up(&upload.temporary);
    return status;
}
