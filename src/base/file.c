#include "base/file.h"

#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum pom_status open_failed(const char *path, struct pom_message *msg) {
    return pom_fail_errno(
        msg, errno == ENOENT || errno == ENOTDIR ? POM_ERR_NOT_FOUND : POM_ERR_IO, "cannot open %s", path);
}

/* Opens a regular file for reading and says its size. */
static enum pom_status open_regular(const char *path, int *fd, size_t *size, struct pom_message *msg) {
    struct stat st;
    *size = 0;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO does not block, and is refused */
    if (*fd < 0)
        return open_failed(path, msg);
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode)) {
        *size = (size_t)st.st_size;
        return POM_OK;
    }
    close(*fd);
    return pom_fail(msg, POM_ERR_IO, "%s is not a regular file", path);
}

enum pom_status pom_file_map(const char *path, struct pom_map *out, struct pom_message *msg) {
    int fd;
    *out = (struct pom_map){0};
    POM_TRY(open_regular(path, &fd, &out->size, msg));
    if (out->size > 0) {
        void *data = mmap(NULL, out->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            close(fd);
            return pom_fail_errno(msg, POM_ERR_IO, "cannot map %s", path);
        }
        out->data = data;
    }
    close(fd);
    return POM_OK;
}

void pom_file_unmap(struct pom_map *map) {
    if (map->data)
        munmap((void *)map->data, map->size);
    *map = (struct pom_map){0};
}

void pom_file_let_go(const void *data, size_t n) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), end = ((uintptr_t)data + n) / page * page;
    char *from = (char *)data - (uintptr_t)data % page;
    if ((uintptr_t)from < end)
        madvise(from, end - (uintptr_t)from, MADV_DONTNEED);
}

static enum pom_status read_all(int fd, size_t n, struct pom_buffer *out) {
    out->size = 0;
    if (!pom_buffer_reserve(out, n))
        return POM_ERR_MEMORY;
    while (out->size < n) {
        ssize_t got = read(fd, out->data + out->size, n - out->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return POM_ERR_IO;
        if (got == 0)
            break;
        out->size += (size_t)got;
    }
    out->data[out->size] = '\0';
    return POM_OK;
}

enum pom_status pom_file_read(const char *path, size_t max_bytes, struct pom_buffer *out, struct pom_message *msg) {
    int fd;
    size_t size;
    POM_TRY(open_regular(path, &fd, &size, msg));
    enum pom_status status = size > max_bytes ? POM_ERR_LIMIT : read_all(fd, size, out);
    if (status == POM_ERR_LIMIT)
        pom_fail(msg, status, "%s has %zu bytes, over the limit of %zu", path, size, max_bytes);
    else if (status == POM_ERR_MEMORY)
        pom_fail_memory(msg, path);
    else if (status != POM_OK)
        pom_fail_errno(msg, status, "cannot read %s", path);
    close(fd);
    return status;
}

static enum pom_status sync_path(const char *path, int flags, struct pom_message *msg) {
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return open_failed(path, msg);
    int failed = fsync(fd);
    enum pom_status status = failed ? pom_fail_errno(msg, POM_ERR_IO, "cannot flush %s to disk", path) : POM_OK;
    close(fd);
    return status;
}

static char *parent_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : pom_strndup(path, (size_t)(slash - path));
}

enum pom_status pom_file_commit(const char *temporary, const char *path, struct pom_message *msg) {
    POM_TRY(sync_path(temporary, O_RDONLY, msg));
    if (rename(temporary, path) != 0)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot rename %s to %s", temporary, path);
    char *folder = parent_folder(path);
    if (!folder)
        return pom_fail_memory(msg, path);
    enum pom_status status = sync_path(folder, O_RDONLY | O_DIRECTORY, msg);
    free(folder);
    return status;
}

static bool write_all(int fd, const char *data, size_t n) {
    while (n > 0) {
        ssize_t put = write(fd, data, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        data += put;
        n -= (size_t)put;
    }
    return true;
}

static enum pom_status write_and_commit(
    const char *temporary, const char *path, const void *data, size_t n, struct pom_message *msg) {
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return open_failed(temporary, msg);
    bool written = write_all(fd, data, n);
    if (!written)
        pom_fail_errno(msg, POM_ERR_IO, "cannot write %s", temporary);
    if (close(fd) != 0 && written) {
        written = false;
        pom_fail_errno(msg, POM_ERR_IO, "cannot write %s", temporary);
    }
    enum pom_status status = written ? pom_file_commit(temporary, path, msg) : POM_ERR_IO;
    if (status != POM_OK)
        unlink(temporary);
    return status;
}

enum pom_status pom_file_write(const char *path, const void *data, size_t n, struct pom_message *msg) {
    struct pom_buffer temporary = {0};
    if (!pom_buffer_printf(&temporary, "%s.%ld.tmp", path, (long)getpid()))
        return pom_fail_memory(msg, path);
    enum pom_status status = write_and_commit(temporary.data, path, data, n, msg);
    pom_buffer_clean_up(&temporary);
    return status;
}

static enum pom_status make_folder(const char *path, struct pom_message *msg) {
    struct stat st;
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return POM_OK;
    return pom_fail_errno(msg, POM_ERR_IO, "cannot make the folder %s", path);
}

enum pom_status pom_make_folders(const char *path, struct pom_message *msg) {
    char *copy = strdup(path);
    if (!copy)
        return pom_fail_memory(msg, path);
    enum pom_status status = POM_OK;
    for (char *p = copy + 1; *copy && *p && status == POM_OK; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        status = make_folder(copy, msg);
        *p = '/';
    }
    free(copy);
    return status == POM_OK ? make_folder(path, msg) : status;
}

bool pom_file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

char *pom_path_join(const char *folder, const char *name) {
    size_t n = strlen(folder);
    struct pom_buffer out = {0};
    if (!pom_buffer_printf(&out, "%s%s%s", folder, n == 0 || folder[n - 1] == '/' ? "" : "/", name))
        return NULL;
    return out.data;
}
