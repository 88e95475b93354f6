/* Stores: where images come from and tables go to. One vtable per kind: local files, S3, Google Cloud
 * Storage, HDFS.
 *
 * A location is a URI or a local path. An object's path is canonical: what stands in the `path` column. */
#ifndef POM_STORE_STORE_H
#define POM_STORE_STORE_H

#include "base/buffer.h"
#include "base/status.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pom_store_entry {
    const char *path;    /* canonical: the location as given joined with the rest; valid during the callback */
    uint64_t size;       /* bytes */
    const char *version; /* changes when the content does: etag, or mtime in nanoseconds; valid during the callback */
};

/* What a listing calls, on the thread that lists. Any status but POM_OK stops the listing and is returned by it. */
struct pom_store_visitor {
    enum pom_status (*visit)(void *user, const struct pom_store_entry *entry, struct pom_message *msg);
    /* What could not be listed, and why: a folder without permission (its path then ends in a slash), a dangling link.
     */
    enum pom_status (*refuse)(void *user, const char *path, const char *cause, struct pom_message *msg);
    void *user;
};

struct pom_store;

/* Picks the store for the location, which must exist unless create is true: then a folder is made of it where there is
 * none. cancel (may be NULL) must outlive the store: once it is set, what waits for a network ends with
 * POM_ERR_CANCELLED.
 *
 * Of any call on a store, POM_ERR_NETWORK means that the store cannot be reached or refuses whoever asks, so that the
 * next object would fare no better; other failures are of the one object. */
enum pom_status pom_store_open(
    const char *location, bool create, const atomic_bool *cancel, struct pom_store **out, struct pom_message *msg);
void pom_store_close(struct pom_store *store);

/* What every path of the store begins with: "photos/" of a folder, or the one object's own path. Valid as long as the
 * store. */
const char *pom_store_prefix(const struct pom_store *store);

/* Visits every object at or below the location, in ascending byte order of path, as it is found. Names that begin with
 * a dot, and symbolic links to a folder that is already on the way, are left out. */
enum pom_status pom_store_list(
    struct pom_store *store, const struct pom_store_visitor *visitor, struct pom_message *msg);

/* Reads a listed object whole into out (replaced); over max_bytes is POM_ERR_LIMIT; POM_ERR_CONFLICT: it is no longer
 * the version that was listed. Thread-safe. */
enum pom_status pom_store_read(struct pom_store *store, const struct pom_store_entry *entry, size_t max_bytes,
    struct pom_buffer *out, struct pom_message *msg);

/* Whether reads wait for a network, so that many should be under way at once, ahead of those who need the bytes. */
bool pom_store_reads_ahead(const struct pom_store *store);

/* A read under way. The caller keeps it, and what it points to, until done. */
struct pom_store_read {
    struct pom_store_entry entry;
    size_t max_bytes;
    void (*done)(struct pom_store_read *read); /* on a thread of the store, which others wait for */

    enum pom_status status; /* the rest is the result */
    struct pom_message message;
    struct pom_buffer bytes; /* the caller's to clean up */
};

/* Starts the read and returns; done is called in every case. Only of a store that reads ahead. Thread-safe. */
void pom_store_read_start(struct pom_store *store, struct pom_store_read *read);

/* Ends what waits for a network with POM_ERR_CANCELLED, now and from now on. Thread-safe. */
void pom_store_cancel(struct pom_store *store);

/* Requests over a network so far, each attempt counted. Thread-safe. */
uint64_t pom_store_requests(const struct pom_store *store);

/* The version of the object `name` below the location, or "" where there is none. */
enum pom_status pom_store_version(
    struct pom_store *store, const char *name, struct pom_buffer *version, struct pom_message *msg);

/* A local file with the content of the object `name`: its path, in out. */
enum pom_status pom_store_fetch(
    struct pom_store *store, const char *name, struct pom_buffer *out, struct pom_message *msg);

/* Copies the object `name` ("": the one object that the location names) to the local file. Only of a store that reads
 * ahead. */
enum pom_status pom_store_download(
    struct pom_store *store, const char *name, const char *file, struct pom_message *msg);

/* Makes the finished local file the object `name` below the location, whole or not at all; the file is gone afterwards,
 * and the object's version is the one that pom_store_file_version told of the file. */
enum pom_status pom_store_publish(struct pom_store *store, const char *file, const char *name, struct pom_message *msg);
enum pom_status pom_store_file_version(
    struct pom_store *store, const char *file, struct pom_buffer *version, struct pom_message *msg);

/* Removes the object `name`; one that is not there is fine. */
enum pom_status pom_store_remove(struct pom_store *store, const char *name, struct pom_message *msg);

/* Gives up what a process that was killed had begun to publish from this staging folder. By the holder of its lock. */
enum pom_status pom_store_tidy(struct pom_store *store, struct pom_message *msg);

/* A small object that says who has the location, and changes in one step. */
enum { POM_STORE_NOTE_BYTES = 4096 };
struct pom_store_note {
    struct pom_buffer text, version; /* both "" where there is none; the caller's to clean up */
    int64_t age_s;                   /* since it was written, by the store's own clock; -1: cannot be told */
};

/* Whether the store has notes: where not, the next three are not to be called. */
bool pom_store_has_notes(const struct pom_store *store);
enum pom_status pom_store_note_read(
    struct pom_store *store, const char *name, struct pom_store_note *note, struct pom_message *msg);

/* Writes the note if what is there still has this version ("": if there is none), in one step, and replaces version
 * with the new one. POM_ERR_CONFLICT: something else is there - or an earlier attempt of this call arrived, and only
 * its answer was lost. POM_ERR_UNSUPPORTED: the store says that it cannot; some write all the same without a look.
 * version NULL: whatever is there. */
enum pom_status pom_store_note_write(
    struct pom_store *store, const char *name, const char *text, struct pom_buffer *version, struct pom_message *msg);

/* Removes the note, also where the store is cancelled. */
enum pom_status pom_store_note_remove(struct pom_store *store, const char *name, struct pom_message *msg);

/* What an examination finds, in words for people. */
enum pom_finding { POM_FINDING_GOOD, POM_FINDING_NOTE, POM_FINDING_WARNING, POM_FINDING_BAD };
struct pom_examiner {
    void (*tell)(void *user, enum pom_finding finding, const char *topic, const char *text);
    void *user;
};

/* Tells what is worth knowing of a store beyond its objects: who asks, region, clock, encryption of what is written,
 * openness to the world. With `write`, what writing takes is tried too. */
void pom_store_examine(struct pom_store *store, bool write, const struct pom_examiner *examiner);

/* Tells of what all stores over a network share: proxy, certificates, TLS. */
void pom_store_examine_network(const struct pom_examiner *examiner);

/* Where the data lies: a cloud's name of a region, "eu-central-1"; "" on this machine. POM_ERR_UNSUPPORTED: it cannot
 * be told. */
enum pom_status pom_store_region(struct pom_store *store, struct pom_buffer *out, struct pom_message *msg);

/* A local folder, made on opening with create, for the job's state and unfinished files: within a local destination, so
 * that publishing is a rename. Valid as long as the store. */
const char *pom_store_staging(const struct pom_store *store);

#endif
