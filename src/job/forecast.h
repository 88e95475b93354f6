/* What a features job will take, before it is run: the sources are listed, and the first images go through the very
 * job, to a folder that is thrown away. What `pomona plan` does. */
#ifndef POM_JOB_FORECAST_H
#define POM_JOB_FORECAST_H

#include "job/features_job.h"

enum { POM_FORECAST_SAMPLE = 64, POM_FORECAST_MOST_IN_FLIGHT = 512 };

/* What was seen, and what follows from it. */
struct pom_forecast {
    uint64_t images, bytes, skipped; /* that the sources list; unlike the job's, other files are counted as skipped */
    uint64_t list_requests;          /* over a network, as the next */
    uint64_t get_requests, put_requests;
    uint64_t written_bytes; /* the features, not compressed */
    double list_s;

    struct pom_features_report sample; /* the job on the first images */
    int threads;
    double latency_s; /* of one read over a network; 0: no network */

    double work_s, network_s, tables_s; /* each thread's images; requests that wait for others; what comes after */
    double total_s;
    size_t memory_bytes; /* about the job's peak */
};

/* options: of the job that is planned; its destination may be NULL, and is not opened. to_network: it is in a bucket.
 * sample: images; 0: POM_FORECAST_SAMPLE. The plan is the caller's to clean up, after a failure too. POM_ERR_NOT_FOUND:
 * there are no images. */
enum pom_status pom_forecast_make(const struct pom_features_options *options, bool to_network, uint64_t sample,
    struct pom_forecast *out, struct pom_message *msg);
/* Requests that upload the tables of so many bytes of features. */
uint64_t pom_forecast_puts(uint64_t feature_bytes);

void pom_forecast_clean_up(struct pom_forecast *plan);

#endif
