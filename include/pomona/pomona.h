/* Pomona: images -> CNN features -> scaler -> PCA. The whole public API; include this or the parts.
 *
 * Conventions, true for every function:
 * - A function that can fail returns enum pom_status and takes as its last argument an optional, caller-owned
 *   struct pom_message, which it fills only on failure.
 * - `new`/`load` hand out a heap object that the caller releases with the `free` of the same type; `free(NULL)` is a
 * no-op.
 * - Arguments are borrowed for the duration of the call unless the comment says that they are kept.
 * - Sizes are in elements of the pointed-to type unless the name ends in _bytes. */
#ifndef POMONA_POMONA_H
#define POMONA_POMONA_H

#include <pomona/image.h>
#include <pomona/machine.h>
#include <pomona/model.h>
#include <pomona/stats.h>
#include <pomona/status.h>

#endif
