/* Writing the features and errors tables from the manifest. Private to the room. */
#ifndef POM_JOB_TABLES_H
#define POM_JOB_TABLES_H

#include "job/destination.h"
#include "job/moments_taker.h"

/* Key and value texts for the footer of a table. */
struct pom_footer {
    struct pom_metadata list[16];
    int n;
    char rows[24], errors[24], listed[24], size[24];
};

/* What the job says of its tables. The report's rows, errors and listed are set. */
void pom_footer_fill(struct pom_footer *footer, const struct pom_job *job, const struct pom_features_report *report);

/* Writes both tables in the staging folder, one pass over the manifest: features from the spool or from the published
 * table of the last run; taker, which may be NULL, is given each row of them. Fills report's rows, errors, listed,
 * unlabelled and labels. */
enum pom_status pom_tables_write(struct pom_job *job, const struct pom_destination *destination,
    struct pom_moments_taker *taker, struct pom_features_report *report, struct pom_message *msg);

#endif
