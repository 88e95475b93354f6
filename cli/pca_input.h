/* A table that `pomona pca` reads: a local file or folder, or a file in a bucket or in HDFS. */
#ifndef POM_CLI_PCA_INPUT_H
#define POM_CLI_PCA_INPUT_H

#include "base/buffer.h"
#include "base/status.h"
#include "store/store.h"

/* Zero-initialise. */
struct pom_pca_input {
    struct pom_store *store; /* NULL: a local one */
    char name[32];           /* of the object below the store's location; "": the location's own */
    struct pom_buffer path;  /* local; "" until it is fetched */
};

/* POM_ERR_NOT_FOUND: there is none. The folder of a features run stands for its table of this stem: "features". */
enum pom_status pom_pca_input_open(
    struct pom_pca_input *input, const char *location, const char *stem, struct pom_message *msg);
void pom_pca_input_close(struct pom_pca_input *input);

/* Copies what is not local to the folder, under this name. */
enum pom_status pom_pca_input_fetch(
    struct pom_pca_input *input, const char *folder, const char *name, struct pom_message *msg);

/* Removes the copy. */
void pom_pca_input_drop(struct pom_pca_input *input);

#endif
