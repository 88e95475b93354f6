#include "job/lock.h"

#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char *path_of(const struct pom_store *destination) {
    return pom_path_join(pom_store_staging(destination), "lock");
}

/* The holder before may have removed the file in the meantime: a lock on that one keeps nobody out. */
static bool still_there(int fd, const char *path) {
    struct stat locked, there;
    return fstat(fd, &locked) == 0 && stat(path, &there) == 0 && locked.st_dev == there.st_dev &&
           locked.st_ino == there.st_ino;
}

static enum pom_status try_lock(
    const struct pom_store *destination, const char *path, int *lock, struct pom_message *msg) {
    POM_TRY(pom_make_folders(pom_store_staging(destination), msg));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return errno == ENOENT ? POM_OK : pom_fail_errno(msg, POM_ERR_IO, "cannot open %s", path);
    enum pom_status status = POM_OK;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        status = errno == EWOULDBLOCK ? pom_fail(msg, POM_ERR_CONFLICT,
                                            "%s is in use by another pomona: wait until it ends, or choose another -o",
                                            pom_store_prefix(destination))
                                      : pom_fail_errno(msg, POM_ERR_IO, "cannot lock %s", path);
    else if (still_there(fd, path))
        *lock = fd;
    if (*lock != fd)
        close(fd);
    return status;
}

enum pom_status pom_lock_take(const struct pom_store *destination, int *lock, struct pom_message *msg) {
    *lock = -1;
    char *path = path_of(destination);
    enum pom_status status = POM_OK;
    if (!path)
        return pom_fail_memory(msg, "the destination");
    while (status == POM_OK && *lock < 0)
        status = try_lock(destination, path, lock, msg);
    free(path);
    return status;
}

bool pom_lock_discard(const struct pom_store *destination) {
    char *path = path_of(destination);
    bool gone = path && unlink(path) == 0 && rmdir(pom_store_staging(destination)) == 0;
    free(path);
    return gone;
}
