/* From a table of prices to what a job is billed at. */
#ifndef POM_CLI_RATES_H
#define POM_CLI_RATES_H

#include "options.h"
#include "prices.h"

#include "job/features_job.h"

/* "s3" or "gs", the sections of the table; NULL: nobody sends a bill. location may be NULL. */
const char *pom_cloud_of(const char *location);

/* What a bill depends on; all but source may be NULL. */
struct pom_billed {
    const char *source, *destination;
    const char *region;  /* whose prices count; NULL: those of the table's first sections */
    const char *machine; /* NULL: the one that the table names for the cloud */
};

#define POM_OPTION_PRICES_REGION(at)                                                                                   \
    {                                                                                                                  \
        "prices-region", 0, "NAME",                                                                                    \
            "region whose prices count, as the table has them (default: us-east-1, us-central1)", pom_option_text, at  \
    }

/* A price in dollars of "[section]" or "[section.region]". */
enum pom_status pom_rate(const struct pom_prices *prices, const char *section, const char *region, const char *name,
    double *out, struct pom_message *msg);

/* The rates of a job; its texts belong to prices and billed. */
enum pom_status pom_rates_find(
    const struct pom_prices *prices, const struct pom_billed *billed, struct pom_rates *out, struct pom_message *msg);

#endif
