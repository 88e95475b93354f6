/* What stands in a lease's note: the object `.pomona/lock` of a destination. Private to the room. */
#ifndef POM_JOB_LEASE_NOTE_H
#define POM_JOB_LEASE_NOTE_H

#include <jansson.h>
#include <stddef.h>

/* Who holds a lease; never NULL. */
struct pom_lease_holder {
    json_t *root;   /* owns the texts */
    const char *id; /* of the staging folder it was taken from */
    const char *host, *user, *since;
    int pid;
};

/* n bytes of a note; NULL where n is 0. An object of somebody else's, or of a later version, has no id: nobody is known
 * to hold it. Released by pom_lease_holder_clean_up. */
void pom_lease_holder_read(const char *text, size_t n, struct pom_lease_holder *out);
void pom_lease_holder_clean_up(struct pom_lease_holder *holder);

/* The note of a holder (root: unused), the caller's to free; NULL on no memory. renewals: how often it was written. */
char *pom_lease_holder_write(const struct pom_lease_holder *holder, unsigned renewals);

#endif
