#include "job/spool.h"

#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pom_spool {
    int fd;
    size_t record_bytes;
    char *path;
    _Atomic int64_t records; /* handed out; each is written at its own place */
};

static enum pom_status open_file(struct pom_spool *spool, int64_t records, struct pom_message *msg) {
    struct stat st;
    spool->fd = open(spool->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (spool->fd < 0 || fstat(spool->fd, &st) != 0)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot open %s", spool->path);
    int64_t whole = (int64_t)((uint64_t)st.st_size / spool->record_bytes);
    int64_t kept = whole < records ? whole : records;
    if (ftruncate(spool->fd, (off_t)((uint64_t)kept * spool->record_bytes)) != 0)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot truncate %s", spool->path);
    atomic_store(&spool->records, kept);
    return POM_OK;
}

enum pom_status pom_spool_open(
    const char *path, size_t d, int64_t records, struct pom_spool **out, struct pom_message *msg) {
    struct pom_spool *spool = pom_calloc(1, sizeof *spool);
    *out = spool;
    if (!spool || !(spool->path = strdup(path))) {
        free(spool);
        return pom_fail_memory(msg, path);
    }
    spool->fd = -1;
    spool->record_bytes = d * sizeof(float);
    enum pom_status status = open_file(spool, records, msg);
    if (status != POM_OK) {
        pom_spool_close(spool);
        *out = NULL;
    }
    return status;
}

void pom_spool_close(struct pom_spool *spool) {
    if (!spool)
        return;
    if (spool->fd >= 0)
        close(spool->fd);
    free(spool->path);
    free(spool);
}

int64_t pom_spool_records(const struct pom_spool *spool) {
    return atomic_load(&spool->records);
}

static off_t place_of(const struct pom_spool *spool, int64_t record) {
    return (off_t)((uint64_t)record * spool->record_bytes);
}

enum pom_status pom_spool_append(
    struct pom_spool *spool, const float *features, size_t n, int64_t *first, struct pom_message *msg) {
    *first = atomic_fetch_add(&spool->records, (int64_t)n);
    const char *bytes = (const char *)features;
    for (size_t done = 0, all = n * spool->record_bytes; done < all;) {
        ssize_t written = pwrite(spool->fd, bytes + done, all - done, place_of(spool, *first) + (off_t)done);
        if (written < 0 && errno != EINTR)
            return pom_fail_errno(msg, POM_ERR_IO, "cannot write %s", spool->path);
        done += written > 0 ? (size_t)written : 0;
    }
    return POM_OK;
}

enum pom_status pom_spool_sync(struct pom_spool *spool, struct pom_message *msg) {
    if (fdatasync(spool->fd) != 0)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot flush %s to disk", spool->path);
    return POM_OK;
}

enum pom_status pom_spool_read(
    const struct pom_spool *spool, int64_t record, float *features, struct pom_message *msg) {
    char *bytes = (char *)features;
    for (size_t done = 0; done < spool->record_bytes;) {
        ssize_t n = pread(spool->fd, bytes + done, spool->record_bytes - done, place_of(spool, record) + (off_t)done);
        if (n == 0)
            return pom_fail(msg, POM_ERR_FORMAT, "%s ends before record %lld", spool->path, (long long)record);
        if (n < 0 && errno != EINTR)
            return pom_fail_errno(msg, POM_ERR_IO, "cannot read %s", spool->path);
        done += n > 0 ? (size_t)n : 0;
    }
    return POM_OK;
}
