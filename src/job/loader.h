/* From a place in a source to the pixels that a network takes: read, decode, resize. Private to the room. */
#ifndef POM_JOB_LOADER_H
#define POM_JOB_LOADER_H

#include "base/buffer.h"
#include "image/resize.h"
#include "job/manifest.h"
#include "job/work.h"
#include "store/store.h"

struct pom_job;

/* What one thread keeps between images. Zero-initialise but for the first two. */
struct pom_loader {
    struct pom_job *job;
    struct pom_work_clock *work; /* receives the time */
    struct pom_buffer bytes;     /* the image as stored */
    struct pom_image picture;
    struct pom_image scaled; /* the result, of the model's size */
    struct pom_resizer resizer;
};

/* An image to load. */
struct pom_loader_source {
    struct pom_store *store;
    struct pom_store_entry entry; /* its size need not be set */
    struct pom_buffer *bytes;     /* where it is read already: they are taken over; may be NULL or empty */
};

/* Loads the image within a thread's share of the memory, or with all of it while the other threads wait. On failure
 * *stage is where. */
enum pom_status pom_loader_run(
    struct pom_loader *loader, const struct pom_loader_source *source, enum pom_stage *stage, struct pom_message *msg);
void pom_loader_clean_up(struct pom_loader *loader);

#endif
