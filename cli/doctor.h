/* What `pomona doctor` looks at, in parts. */
#ifndef POM_CLI_DOCTOR_H
#define POM_CLI_DOCTOR_H

#include "store/store.h"

/* Tells printf-style. */
void pom_doctor_tell(const struct pom_examiner *examiner, enum pom_finding finding, const char *topic,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* This machine: processor, threads, memory, disk, network. */
void pom_doctor_machine(const struct pom_examiner *examiner);

/* A place of images or tables: each permission that a job needs is tried, those of writing with an object of a name of
 * its own, which is removed again. */
void pom_doctor_place(const char *location, bool write, const atomic_bool *cancel, const struct pom_examiner *examiner);

#endif
