#include "rates.h"

#include "base/status.h"
#include <strings.h>

const char *pom_cloud_of(const char *location) {
    if (location && (strncasecmp(location, "s3://", 5) == 0 || strncasecmp(location, "s3a://", 6) == 0))
        return "s3";
    return location && strncasecmp(location, "gs://", 5) == 0 ? "gs" : NULL;
}

static enum pom_status find_request(
    const struct pom_prices *prices, const char *cloud, const char *name, double *out, struct pom_message *msg) {
    double per_1000 = 0;
    if (cloud)
        POM_TRY(pom_price(prices, cloud, name, &per_1000, msg));
    *out = per_1000 / 1000;
    return POM_OK;
}

enum pom_status pom_rates_find(const struct pom_prices *prices, const char *source, const char *destination,
    const char *machine, struct pom_rates *out, struct pom_message *msg) {
    const char *from = pom_cloud_of(source), *to = pom_cloud_of(destination);
    *out = (struct pom_rates){.date = prices->date, .source = prices->source, .machine = machine};
    POM_TRY(find_request(prices, from, "list_per_1000", &out->list, msg));
    POM_TRY(find_request(prices, from, "get_per_1000", &out->get, msg));
    POM_TRY(find_request(prices, to, "put_per_1000", &out->put, msg));
    if (!out->machine && (from || to))
        out->machine = pom_price_text(prices, from ? from : to, "machine");
    return out->machine ? pom_price(prices, "machines", out->machine, &out->cpu_hour, msg) : POM_OK;
}
