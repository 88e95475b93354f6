/* From a table of prices to what a job is billed at. */
#ifndef POM_CLI_RATES_H
#define POM_CLI_RATES_H

#include "prices.h"

#include "job/features_job.h"

/* "s3" or "gs", the sections of the table; NULL: nobody sends a bill. location may be NULL. */
const char *pom_cloud_of(const char *location);

/* The rates of a job of those places; its texts belong to prices and machine. destination: may be NULL. machine: NULL
 * for the one that the table names for the cloud. */
enum pom_status pom_rates_find(const struct pom_prices *prices, const char *source, const char *destination,
    const char *machine, struct pom_rates *out, struct pom_message *msg);

#endif
