/* Any bytes as the note of a lease, which anyone who writes to the bucket can put there: a holder with texts, that is
 * written and read again as it is. */
#include "job/lease_note.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct pom_lease_holder *a, const struct pom_lease_holder *b) {
    if (strcmp(a->id, b->id) != 0 || strcmp(a->host, b->host) != 0 || strcmp(a->user, b->user) != 0 ||
        strcmp(a->since, b->since) != 0 || a->pid != b->pid)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pom_lease_holder holder, again;
    pom_lease_holder_read((const char *)data, size, &holder);
    char *text = pom_lease_holder_write(&holder, 1);
    if (!text)
        abort();
    pom_lease_holder_read(text, strlen(text), &again);
    check_same(&holder, &again);
    pom_lease_holder_clean_up(&again);
    pom_lease_holder_clean_up(&holder);
    free(text);
    return 0;
}
