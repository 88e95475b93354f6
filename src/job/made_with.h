/* What a table of features was made with, as the receipt beside it says. Private to the room. */
#ifndef POM_JOB_MADE_WITH_H
#define POM_JOB_MADE_WITH_H

#include "base/status.h"
#include "store/store.h"
#include "table/table.h"
#include <jansson.h>
#include <pomona/model.h>

/* Texts belong to `json`. Zero-initialise; released by pom_made_with_clean_up. */
struct pom_made_with {
    json_t *json;
    const char *model;        /* its name */
    const char *model_file;   /* NULL for pixels */
    const char *sha256;       /* of that file; NULL for pixels */
    const char *output_layer; /* or NULL */
    const char *preprocess;   /* or NULL */
    int width, height;
    enum pom_filter filter;
    enum pom_precision precision;
    enum pom_format format;
    uint64_t rows;
    const json_t *sources; /* texts: what the paths begin with */
};

/* Reads run.json of a destination that was opened to be written, as fetching asks. POM_ERR_NOT_FOUND: there is none;
 * POM_ERR_FORMAT: it is not one of ours. */
enum pom_status pom_made_with_read(struct pom_store *store, struct pom_made_with *out, struct pom_message *msg);
void pom_made_with_clean_up(struct pom_made_with *made);

#endif
