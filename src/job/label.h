/* The label of an image, taken from its path by a pattern.
 *
 * A pattern is matched with the end of the path, component by component, so it need not say what comes before:
 *   {label}   the label: one or more characters but no slash, as many as fit; exactly once
 *   *  ?      any characters but a slash; one such character
 * "{label}/" + "*" (the default) is the name of the parent folder; "{label}_*" takes "red_apple" of
 * ".../red_apple_17.jpg". */
#ifndef POM_JOB_LABEL_H
#define POM_JOB_LABEL_H

#include "base/buffer.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

extern const char pom_label_default[];

/* POM_ERR_ARGUMENT unless the pattern has {label} once. */
enum pom_status pom_label_check(const char *pattern, struct pom_message *msg);

/* The label's place in path; false where the pattern does not match, and then the label is empty. Thread-safe. */
bool pom_label_find(const char *pattern, const char *path, const char **label, size_t *size);

/* The same for a path of this machine, where a folder called "." or ".." has the name that it has in the file system.
 * The label lies in path or in scratch. */
bool pom_label_of_file(
    const char *pattern, const char *path, struct pom_buffer *scratch, const char **label, size_t *size);

#endif
