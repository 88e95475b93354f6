#include "store/file_walk.h"

#include "base/memory.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The folders from the root of the walk down to here, so that a link back up is seen. */
struct trail {
    const struct trail *above;
    dev_t device;
    ino_t inode;
};

struct walk {
    const struct pom_store_visitor *visitor;
    struct pom_message *msg;
    struct pom_buffer path; /* of the folder or file at hand; a folder's ends in a slash */
};

/* The names of a folder; a folder's name has a slash at its end, so that sorting by bytes sorts the full paths. */
struct names {
    struct pom_arena arena;
    char **list;
    size_t n, capacity;
};

enum kind { KIND_FILE, KIND_FOLDER, KIND_OTHER };

void pom_file_version(const struct stat *st, char out[POM_FILE_VERSION_BYTES]) {
    snprintf(out, POM_FILE_VERSION_BYTES, "%lld.%09ld", (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

static enum pom_status refuse(struct walk *walk) {
    char reason[128];
    return walk->visitor->refuse(
        walk->visitor->user, walk->path.data, strerror_r(errno, reason, sizeof reason), walk->msg);
}

/* A name that cannot be examined is taken for a file: the visit then tells why. */
static enum kind kind_of(int folder, const struct dirent *entry) {
    struct stat st;
    if (entry->d_type == DT_REG || entry->d_type == DT_DIR)
        return entry->d_type == DT_DIR ? KIND_FOLDER : KIND_FILE;
    if ((entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN) || fstatat(folder, entry->d_name, &st, 0) != 0)
        return entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN ? KIND_FILE : KIND_OTHER;
    if (S_ISDIR(st.st_mode))
        return KIND_FOLDER;
    return S_ISREG(st.st_mode) ? KIND_FILE : KIND_OTHER;
}

static bool add_name(struct names *names, const char *name, bool folder) {
    size_t n = strlen(name);
    char *copy = pom_arena_alloc(&names->arena, n + 2, 1);
    void *list = names->list;
    if (!copy || !pom_grow(&list, &names->capacity, names->n + 1, sizeof *names->list))
        return false;
    snprintf(copy, n + 2, "%s%s", name, folder ? "/" : "");
    names->list = list;
    names->list[names->n++] = copy;
    return true;
}

static bool read_names(DIR *folder, struct names *names) {
    const struct dirent *entry;
    errno = 0;
    while ((entry = readdir(folder))) {
        enum kind kind = entry->d_name[0] == '.' ? KIND_OTHER : kind_of(dirfd(folder), entry);
        if (kind != KIND_OTHER && !add_name(names, entry->d_name, kind == KIND_FOLDER)) {
            errno = ENOMEM;
            return false;
        }
        errno = 0;
    }
    return errno == 0;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum pom_status visit_file(struct walk *walk) {
    struct stat st;
    char version[POM_FILE_VERSION_BYTES];
    if (stat(walk->path.data, &st) != 0)
        return refuse(walk);
    pom_file_version(&st, version);
    const struct pom_store_entry entry = {walk->path.data, (uint64_t)st.st_size, version};
    return walk->visitor->visit(walk->visitor->user, &entry, walk->msg);
}

static enum pom_status walk_folder(struct walk *walk, const struct trail *above);

static enum pom_status visit_names(struct walk *walk, const struct names *names, const struct trail *here) {
    size_t base = walk->path.size;
    enum pom_status status = POM_OK;
    for (size_t i = 0; i < names->n && status == POM_OK; i++) {
        const char *name = names->list[i];
        if (!pom_buffer_text(&walk->path, name))
            return pom_fail_memory(walk->msg, "the listing");
        status = name[strlen(name) - 1] == '/' ? walk_folder(walk, here) : visit_file(walk);
        walk->path.size = base;
        walk->path.data[base] = '\0';
    }
    return status;
}

static bool on_trail(const struct trail *trail, const struct stat *st) {
    for (; trail; trail = trail->above)
        if (trail->device == st->st_dev && trail->inode == st->st_ino)
            return true;
    return false;
}

/* The folder at walk->path. One that cannot be read is refused, but for the root of the walk, which fails it. */
static enum pom_status walk_folder(struct walk *walk, const struct trail *above) {
    struct names names = {0};
    struct stat st = {0};
    DIR *folder = opendir(walk->path.data);
    bool loop = folder && fstat(dirfd(folder), &st) == 0 && on_trail(above, &st);
    bool read = loop || (folder && read_names(folder, &names));
    int reason = errno;
    if (folder)
        closedir(folder);
    errno = reason;
    enum pom_status status = POM_OK;
    if (!read && !above)
        status = pom_fail_errno(walk->msg, POM_ERR_IO, "cannot list %s", walk->path.data);
    else if (!read)
        status = refuse(walk);
    else if (names.n) {
        const struct trail here = {above, st.st_dev, st.st_ino};
        qsort(names.list, names.n, sizeof *names.list, by_bytes);
        status = visit_names(walk, &names, &here);
    }
    free(names.list);
    pom_arena_clean_up(&names.arena);
    return status;
}

enum pom_status pom_file_walk(const char *prefix, const struct pom_store_visitor *visitor, struct pom_message *msg) {
    struct walk walk = {.visitor = visitor, .msg = msg};
    enum pom_status status =
        pom_buffer_text(&walk.path, prefix) ? walk_folder(&walk, NULL) : pom_fail_memory(msg, prefix);
    pom_buffer_clean_up(&walk.path);
    return status;
}

enum pom_status pom_file_visit(const char *path, const struct pom_store_visitor *visitor, struct pom_message *msg) {
    struct walk walk = {.visitor = visitor, .msg = msg};
    enum pom_status status = pom_buffer_text(&walk.path, path) ? visit_file(&walk) : pom_fail_memory(msg, path);
    pom_buffer_clean_up(&walk.path);
    return status;
}
