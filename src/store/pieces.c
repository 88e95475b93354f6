#include "store/pieces.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { THREADS = 4 };

static const size_t piece_bytes = (size_t)8 << 20; /* 32 MiB of them are in memory */

struct copying {
    uint64_t size;
    pom_piece_reader read;
    void *user;
    const char *file;
    int fd;
    _Atomic uint64_t next; /* byte that nobody has taken */
    pthread_mutex_t mutex; /* guards the rest: the first failure */
    enum pom_status status;
    struct pom_message message;
};

static enum pom_status write_at(
    const struct copying *copying, const struct pom_buffer *bytes, uint64_t at, struct pom_message *msg) {
    for (size_t done = 0; done < bytes->size;) {
        ssize_t n = pwrite(copying->fd, bytes->data + done, bytes->size - done, (off_t)(at + done));
        if (n < 0 && errno != EINTR)
            return pom_fail_errno(msg, POM_ERR_IO, "cannot write %s", copying->file);
        done += n > 0 ? (size_t)n : 0;
    }
    return POM_OK;
}

static enum pom_status copy_piece(struct copying *copying, uint64_t at, struct pom_message *msg) {
    uint64_t left = copying->size - at;
    struct pom_buffer bytes = {0};
    enum pom_status status =
        copying->read(copying->user, at, left < piece_bytes ? (size_t)left : piece_bytes, &bytes, msg);
    if (status == POM_OK)
        status = write_at(copying, &bytes, at, msg);
    pom_buffer_clean_up(&bytes);
    return status;
}

/* The others take no more after a failure. */
static void note_failure(struct copying *copying, enum pom_status status, const struct pom_message *msg) {
    atomic_store(&copying->next, copying->size);
    pthread_mutex_lock(&copying->mutex);
    if (copying->status == POM_OK) {
        copying->status = status;
        copying->message = *msg;
    }
    pthread_mutex_unlock(&copying->mutex);
}

static bool take_piece(struct copying *copying, uint64_t *at) {
    *at = atomic_load(&copying->next);
    while (*at < copying->size)
        if (atomic_compare_exchange_weak(&copying->next, at, *at + piece_bytes))
            return true;
    return false;
}

static void *copy_pieces(void *user) {
    struct copying *copying = user;
    struct pom_message msg = {0};
    uint64_t at;
    while (take_piece(copying, &at)) {
        enum pom_status status = copy_piece(copying, at, &msg);
        if (status != POM_OK)
            note_failure(copying, status, &msg);
    }
    return NULL;
}

/* The caller is one of the threads. */
static void run(struct copying *copying) {
    pthread_t threads[THREADS - 1];
    size_t n = 0, pieces = (size_t)(copying->size / piece_bytes);
    while (n < THREADS - 1 && n < pieces && pthread_create(&threads[n], NULL, copy_pieces, copying) == 0)
        n++;
    copy_pieces(copying);
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

enum pom_status pom_pieces_copy(
    uint64_t size, pom_piece_reader read, void *user, const char *file, struct pom_message *msg) {
    struct copying copying = {
        .size = size, .read = read, .user = user, .file = file, .mutex = PTHREAD_MUTEX_INITIALIZER};
    copying.fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (copying.fd < 0)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot write %s", file);
    run(&copying);
    if (close(copying.fd) != 0 && copying.status == POM_OK)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot write %s", file);
    if (copying.status != POM_OK && msg)
        *msg = copying.message;
    return copying.status;
}
