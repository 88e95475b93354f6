/* The answers of WebHDFS that are JSON, read by jansson. */
#ifndef POM_STORE_HDFS_JSON_H
#define POM_STORE_HDFS_JSON_H

#include "base/memory.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pom_hdfs_status {
    const char *name; /* within its folder; "" of what was asked for itself */
    bool folder;
    uint64_t size, modified_ms;
    uint64_t id; /* no other file ever has it; 0: not told */
};

/* Part of a folder, or one file's status. Zero-initialise; released by pom_hdfs_page_clean_up. */
struct pom_hdfs_page {
    struct pom_hdfs_status *entries; /* in byte order of name, as the server has them */
    size_t n;
    bool more; /* behind the last one */
    struct pom_arena arena;
};

/* FileStatus, FileStatuses or DirectoryListing. POM_ERR_FORMAT: it is something else, or lacks what it must have. */
enum pom_status pom_hdfs_page_parse(const char *json, size_t n, struct pom_hdfs_page *out, struct pom_message *msg);
void pom_hdfs_page_clean_up(struct pom_hdfs_page *page);

/* {"boolean": false}: it was not done. */
bool pom_hdfs_is_false(const char *json, size_t n);

/* RemoteException, or plain text. Each text is cut to its size, "" where there is none. */
struct pom_hdfs_error {
    char exception[64], message[200];
};
void pom_hdfs_error_parse(const char *text, size_t n, struct pom_hdfs_error *out);

#endif
