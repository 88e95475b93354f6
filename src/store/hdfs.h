/* What the parts of the HDFS store share. Private to them. WebHDFS:
 * https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html */
#ifndef POM_STORE_HDFS_H
#define POM_STORE_HDFS_H

#include "store/remote.h"

enum { POM_HDFS_NAME = 1024 }; /* bytes, of a host with its port, of a user */

struct pom_hdfs {
    struct pom_remote remote;
    bool folder;
    bool tls;                 /* swebhdfs:// */
    bool no_batches;          /* an old server, which lists a folder at once; of the thread that lists */
    char host[POM_HDFS_NAME]; /* with the port: "namenode:9870" */
    size_t root;              /* where in the store's paths "/some/file" begins */
    struct pom_buffer suffix; /* of every query: "&user.name=..." */
    char user[POM_HDFS_NAME];
};

extern const struct pom_protocol pom_hdfs_protocol;

/* Begins a call on the path of this store: "http://namenode:9870/webhdfs/v1/some/file?op=...&user.name=...". op: with
 * its own parameters. */
enum pom_status pom_hdfs_call(
    const struct pom_hdfs *hdfs, const char *path, const char *op, struct pom_call *call, struct pom_message *msg);

enum pom_status pom_hdfs_list(
    struct pom_store *store, const struct pom_store_visitor *visitor, struct pom_message *msg);

enum pom_status pom_hdfs_upload(struct pom_remote *remote, const char *file, const char *path, struct pom_message *msg);

enum pom_status pom_hdfs_note_read(
    struct pom_store *store, const char *name, struct pom_store_note *note, struct pom_message *msg);
enum pom_status pom_hdfs_note_write(
    struct pom_store *store, const char *name, const char *text, struct pom_buffer *version, struct pom_message *msg);

/* The version of a file: its modification time in milliseconds and its size. */
void pom_hdfs_version(uint64_t modified_ms, uint64_t size, char out[64]);

/* A local file's modification time in milliseconds, which it has in HDFS too once it is uploaded. */
enum pom_status pom_hdfs_file_time(const char *file, uint64_t *ms, uint64_t *size, struct pom_message *msg);

#endif
