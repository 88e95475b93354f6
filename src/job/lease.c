#include "job/lease.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "job/lease_note.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { ID_BYTES = 16, ID_HEX = 2 * ID_BYTES + 1, NAME_BYTES = 128, TIME_BYTES = 32, TRIES = 4 };

static const char note_name[] = ".pomona/lock";

struct pom_lease {
    struct pom_store *store;
    char id[ID_HEX]; /* of the staging folder */
    char *id_file;
    char host[NAME_BYTES], user[NAME_BYTES], since[TIME_BYTES];
    bool firm;
    atomic_bool lost;

    pthread_t thread;
    pthread_cond_t changed;
    pthread_mutex_t mutex; /* guards the rest; held while the note is written */
    bool ended, running;
    unsigned renewals; /* each renewal writes another text, so that the version changes */
    struct pom_buffer text, version;
};

static void format_time(time_t time, char out[TIME_BYTES]) {
    struct tm utc;
    gmtime_r(&time, &utc);
    strftime(out, TIME_BYTES, "%Y-%m-%d %H:%M:%S UTC", &utc);
}

static bool write_text(struct pom_lease *lease) {
    const struct pom_lease_holder ours = {
        .id = lease->id, .host = lease->host, .user = lease->user, .since = lease->since, .pid = (int)getpid()};
    char *text = pom_lease_holder_write(&ours, lease->renewals++);
    lease->text.size = 0;
    bool good = text && pom_buffer_text(&lease->text, text);
    free(text);
    return good;
}

/* Whether the conflict is with our own attempt, whose answer was lost: the note is then taken for written. */
static bool is_ours_after_all(struct pom_lease *lease) {
    struct pom_store_note note = {0};
    bool ours = pom_store_note_read(lease->store, note_name, &note, NULL) == POM_OK && note.version.size &&
                strcmp(note.text.data, lease->text.data) == 0;
    if (ours) {
        struct pom_buffer old = lease->version;
        lease->version = note.version;
        note.version = old;
    }
    pom_buffer_clean_up(&note.text);
    pom_buffer_clean_up(&note.version);
    return ours;
}

static enum pom_status write_note(struct pom_lease *lease, struct pom_message *msg) {
    if (!write_text(lease))
        return pom_fail_memory(msg, note_name);
    enum pom_status status = pom_store_note_write(lease->store, note_name, lease->text.data, &lease->version, msg);
    return status == POM_ERR_CONFLICT && is_ours_after_all(lease) ? POM_OK : status;
}

static enum pom_status refuse(
    const struct pom_lease *lease, const struct pom_lease_holder *holder, int64_t age_s, struct pom_message *msg) {
    long long left = POM_LEASE_EXPIRES_S - (long long)age_s;
    return pom_fail(msg, POM_ERR_CONFLICT,
        "%s is in use by another pomona: %.60s on %.80s, process %d, since %.32s, last heard of %lld s ago. Wait until "
        "it ends, or choose another -o; if it was killed, run this again in %lld s",
        pom_store_prefix(lease->store), holder->user, holder->host, holder->pid, holder->since, (long long)age_s, left);
}

/* Refuses a note of someone who is still alive; else lease->version is what may be replaced. */
static enum pom_status look(struct pom_lease *lease, struct pom_message *msg) {
    struct pom_store_note note = {0};
    struct pom_lease_holder holder = {0};
    enum pom_status status = pom_store_note_read(lease->store, note_name, &note, msg);
    if (status == POM_OK && note.version.size) {
        pom_lease_holder_read(note.text.data, note.text.size, &holder);
        int64_t age_s = note.age_s < 0 ? 0 : note.age_s;
        if (age_s < POM_LEASE_EXPIRES_S && strcmp(holder.id, lease->id) != 0)
            status = refuse(lease, &holder, age_s, msg);
        pom_lease_holder_clean_up(&holder);
    }
    pom_buffer_clean_up(&lease->version);
    lease->version = note.version;
    pom_buffer_clean_up(&note.text);
    return status;
}

/* Some stores ignore the condition: one that writes a second first note is found out. */
static enum pom_status try_firmness(struct pom_lease *lease, struct pom_message *msg) {
    struct pom_buffer none = {0};
    enum pom_status status = pom_store_note_write(lease->store, note_name, lease->text.data, &none, msg);
    lease->firm = status == POM_ERR_CONFLICT;
    pom_buffer_clean_up(&none);
    return lease->firm ? POM_OK : status;
}

static enum pom_status take(struct pom_lease *lease, struct pom_message *msg) {
    enum pom_status status = POM_ERR_CONFLICT;
    for (int i = 0; i < TRIES && status == POM_ERR_CONFLICT; i++) {
        POM_TRY(look(lease, msg));
        status = write_note(lease, msg);
    }
    if (status == POM_OK)
        return try_firmness(lease, msg);
    if (status != POM_ERR_UNSUPPORTED)
        return status;
    return pom_store_note_write(lease->store, note_name, lease->text.data, NULL, msg);
}

/* Caller holds the mutex. A lease that is not firm is looked at first, so that it is not taken back from another. */
static enum pom_status renew(struct pom_lease *lease, struct pom_message *msg) {
    enum pom_status status = POM_OK;
    if (!lease->firm)
        status = look(lease, msg);
    if (status == POM_OK && lease->firm)
        status = write_note(lease, msg);
    else if (status == POM_OK)
        status = write_text(lease) ? pom_store_note_write(lease->store, note_name, lease->text.data, NULL, msg)
                                   : pom_fail_memory(msg, note_name);
    if (status == POM_ERR_CONFLICT)
        atomic_store(&lease->lost, true);
    return status;
}

/* A renewal that fails otherwise is tried again at the next turn. */
static void *renew_until_ended(void *user) {
    struct pom_lease *lease = user;
    pthread_mutex_lock(&lease->mutex);
    while (!lease->ended && !atomic_load(&lease->lost)) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += POM_LEASE_RENEWAL_S;
        if (pthread_cond_timedwait(&lease->changed, &lease->mutex, &until) != 0 && !lease->ended)
            renew(lease, NULL);
    }
    pthread_mutex_unlock(&lease->mutex);
    return NULL;
}

/* The staging folder's id, made at its first lease. */
static enum pom_status read_id(struct pom_lease *lease, struct pom_message *msg) {
    unsigned char random[ID_BYTES];
    struct pom_buffer known = {0};
    lease->id_file = pom_path_join(pom_store_staging(lease->store), "lease-id");
    if (!lease->id_file)
        return pom_fail_memory(msg, note_name);
    if (pom_file_exists(lease->id_file)) {
        enum pom_status status = pom_file_read(lease->id_file, ID_HEX, &known, msg);
        if (status == POM_OK)
            snprintf(lease->id, sizeof lease->id, "%s", known.data);
        pom_buffer_clean_up(&known);
        return status;
    }
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot draw a number");
    pom_hex(random, sizeof random, lease->id);
    return pom_file_write(lease->id_file, lease->id, strlen(lease->id), msg);
}

static enum pom_status begin(struct pom_lease *lease, struct pom_message *msg) {
    const char *user = getenv("USER");
    snprintf(lease->user, sizeof lease->user, "%s", user && *user ? user : "somebody");
    if (gethostname(lease->host, sizeof lease->host - 1) != 0)
        return pom_fail_errno(msg, POM_ERR_IO, "this machine has no name");
    format_time(time(NULL), lease->since);
    POM_TRY(read_id(lease, msg));
    POM_TRY(take(lease, msg));
    lease->running = pthread_create(&lease->thread, NULL, renew_until_ended, lease) == 0;
    return lease->running ? POM_OK : pom_fail(msg, POM_ERR_LIMIT, "the system gives no more threads: lower --threads");
}

static void free_lease(struct pom_lease *lease) {
    pthread_cond_destroy(&lease->changed);
    pthread_mutex_destroy(&lease->mutex);
    pom_buffer_clean_up(&lease->text);
    pom_buffer_clean_up(&lease->version);
    free(lease->id_file);
    free(lease);
}

enum pom_status pom_lease_take(struct pom_store *store, struct pom_lease **out, struct pom_message *msg) {
    *out = NULL;
    if (!pom_store_has_notes(store))
        return POM_OK;
    struct pom_lease *lease = pom_calloc(1, sizeof *lease);
    if (!lease)
        return pom_fail_memory(msg, note_name);
    lease->store = store;
    pthread_mutex_init(&lease->mutex, NULL);
    pthread_cond_init(&lease->changed, NULL);
    enum pom_status status = begin(lease, msg);
    if (status == POM_OK)
        *out = lease;
    else
        free_lease(lease);
    return status;
}

bool pom_lease_is_firm(const struct pom_lease *lease) {
    return lease->firm;
}

enum pom_status pom_lease_check(struct pom_lease *lease, struct pom_message *msg) {
    if (!atomic_load(&lease->lost))
        return POM_OK;
    return pom_fail(msg, POM_ERR_CONFLICT,
        "%s: another pomona has taken the destination, as this one was not heard of for over %d s: nothing more is "
        "written there; let that one end, then run the same command again",
        pom_store_prefix(lease->store), POM_LEASE_EXPIRES_S);
}

enum pom_status pom_lease_renew(struct pom_lease *lease, struct pom_message *msg) {
    pthread_mutex_lock(&lease->mutex);
    enum pom_status status = renew(lease, msg);
    pthread_mutex_unlock(&lease->mutex);
    return status == POM_ERR_CONFLICT ? pom_lease_check(lease, msg) : status;
}

void pom_lease_end(struct pom_lease *lease) {
    if (!lease)
        return;
    pthread_mutex_lock(&lease->mutex);
    lease->ended = true;
    pthread_cond_signal(&lease->changed);
    pthread_mutex_unlock(&lease->mutex);
    pthread_join(lease->thread, NULL);
    if (!atomic_load(&lease->lost) && pom_store_note_remove(lease->store, note_name, NULL) == POM_OK)
        unlink(lease->id_file);
    free_lease(lease);
}
