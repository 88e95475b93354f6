/* Recomputing rows of a table of features from their images, to the bit. What `pomona verify` does. */
#ifndef POM_JOB_VERIFY_H
#define POM_JOB_VERIFY_H

#include "base/status.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* What became of a row. */
enum pom_verified {
    POM_VERIFIED_SAME,
    POM_VERIFIED_DIFFERENT, /* the features are not those of the image, which is the one that was read */
    POM_VERIFIED_CHANGED,   /* the image is another one since */
    POM_VERIFIED_GONE,      /* the image is not there any more */
    POM_VERIFIED_FAILED,    /* the image cannot be read or decoded any more */
    POM_VERIFIED_COUNT
};

/* Zero-initialise for the defaults. All is borrowed for the call. */
struct pom_verify_options {
    const char *destination; /* of a features job */
    const char *model;       /* name or file; NULL: what the receipt says. Its SHA-256 has to be the receipt's */
    uint64_t rows;           /* that are picked at random; all where there are no more */
    uint64_t seed;           /* of picking */
    const atomic_bool *cancel;
    /* Called with each row that was recomputed; why: "" where it is the same. */
    void (*tell)(void *user, enum pom_verified what, const char *path, const char *why);
    void *user;
};

struct pom_verify_report {
    uint64_t rows; /* of the table */
    uint64_t count[POM_VERIFIED_COUNT];
    size_t features;
    char model[64], precision[8];
};

/* An image counts as changed where its features are others and its version is not the one that the job's manifest has;
 * without the manifest it counts as different. A failure is one of the
 * surroundings: no receipt, another model, a calibration that is not here, a table of another run or cut short. */
enum pom_status pom_verify_run(
    const struct pom_verify_options *options, struct pom_verify_report *report, struct pom_message *msg);

#endif
