#include "rates.h"

#include "base/status.h"
#include <stdio.h>
#include <strings.h>

const char *pom_cloud_of(const char *location) {
    if (location && (strncasecmp(location, "s3://", 5) == 0 || strncasecmp(location, "s3a://", 6) == 0))
        return "s3";
    return location && strncasecmp(location, "gs://", 5) == 0 ? "gs" : NULL;
}

enum pom_status pom_rate(const struct pom_prices *prices, const char *section, const char *region, const char *name,
    double *out, struct pom_message *msg) {
    char whole[128];
    snprintf(whole, sizeof whole, "%s%s%s", section, region ? "." : "", region ? region : "");
    return pom_price(prices, whole, name, out, msg);
}

static enum pom_status find_request(const struct pom_prices *prices, const char *cloud, const char *region,
    const char *name, double *out, struct pom_message *msg) {
    double per_1000 = 0;
    if (cloud)
        POM_TRY(pom_rate(prices, cloud, region, name, &per_1000, msg));
    *out = per_1000 / 1000;
    return POM_OK;
}

enum pom_status pom_rates_find(
    const struct pom_prices *prices, const struct pom_billed *billed, struct pom_rates *out, struct pom_message *msg) {
    const char *from = pom_cloud_of(billed->source), *to = pom_cloud_of(billed->destination), *region = billed->region;
    *out = (struct pom_rates){
        .date = prices->date, .source = prices->source, .region = region, .machine = billed->machine};
    POM_TRY(find_request(prices, from, region, "list_per_1000", &out->list, msg));
    POM_TRY(find_request(prices, from, region, "get_per_1000", &out->get, msg));
    POM_TRY(find_request(prices, to, region, "put_per_1000", &out->put, msg));
    if (!out->machine && (from || to))
        out->machine = pom_price_text(prices, from ? from : to, "machine");
    return out->machine ? pom_rate(prices, "machines", region, out->machine, &out->cpu_hour, msg) : POM_OK;
}
