/* What `pomona doctor` looks at, in parts. */
#ifndef POM_CLI_DOCTOR_H
#define POM_CLI_DOCTOR_H

#include "store/store.h"

/* This machine: processor, threads, memory, disk, network. */
void pom_doctor_machine(const struct pom_examiner *examiner);

/* A place of images or tables: each permission that a job needs is tried, those of writing with an object of a name of
 * its own, which is removed again. */
void pom_doctor_place(const char *location, bool write, const atomic_bool *cancel, const struct pom_examiner *examiner);

#endif
