#include "store/region.h"

#include "store/fetch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEADLINE_MS = 1000 };

/* As of 2025: docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html,
 * cloud.google.com/storage/docs/locations. Of Google's pairs EUR4 is Finland and the Netherlands; EUR5, EUR7 and EUR8
 * hold London or Zurich. */
static const char *const eu_regions[] = {"eu-central-1", "eu-west-1", "eu-west-3", "eu-north-1", "eu-south-1",
    "eu-south-2", "eusc-de-east-1", "europe-west1", "europe-west3", "europe-west4", "europe-west8", "europe-west9",
    "europe-west10", "europe-west12", "europe-north1", "europe-north2", "europe-central2", "europe-southwest1", "eu",
    "eur4"};

bool pom_region_is_in_eu(const char *region) {
    for (size_t i = 0; i < sizeof eu_regions / sizeof *eu_regions; i++)
        if (strcasecmp(region, eu_regions[i]) == 0)
            return true;
    return false;
}

static bool is_on(const char *variable) {
    const char *value = getenv(variable);
    return value && (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

/* The body of an answer of 200; "" where none came. */
static enum pom_status ask(const char *method, const char *url, const struct pom_pair *header,
    const atomic_bool *cancel, struct pom_buffer *out) {
    int status_code = 0;
    const struct pom_fetch fetch = {.method = method,
        .url = url,
        .headers = {*header},
        .deadline_ms = DEADLINE_MS,
        .attempts = 1,
        .direct = true,
        .cancel = cancel};
    enum pom_status status = pom_fetch(&fetch, &status_code, out, NULL);
    if (status != POM_OK || status_code != 200)
        out->size = 0;
    if (!pom_buffer_text(out, ""))
        return POM_ERR_MEMORY;
    out->data[strcspn(out->data, "\r\n")] = '\0';
    out->size = strlen(out->data);
    return status == POM_ERR_CANCELLED ? status : POM_OK;
}

/* https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html */
static enum pom_status ask_aws(const atomic_bool *cancel, struct pom_buffer *out) {
    const char *own = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *base = own && *own ? own : "http://169.254.169.254";
    const struct pom_pair lifetime = {"X-aws-ec2-metadata-token-ttl-seconds", "60"};
    struct pom_buffer token = {0};
    char url[512];
    snprintf(url, sizeof url, "%s/latest/api/token", base);
    enum pom_status status = ask("PUT", url, &lifetime, cancel, &token);
    if (status == POM_OK && token.size) {
        const struct pom_pair header = {"X-aws-ec2-metadata-token", token.data};
        snprintf(url, sizeof url, "%s/latest/meta-data/placement/region", base);
        status = ask("GET", url, &header, cancel, out);
    }
    pom_buffer_clean_up(&token);
    return status;
}

/* "projects/1234/zones/europe-west3-a" lies in europe-west3:
 * https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys */
static enum pom_status ask_google(const atomic_bool *cancel, struct pom_buffer *out) {
    const char *own = getenv("GCE_METADATA_HOST");
    const struct pom_pair header = {"Metadata-Flavor", "Google"};
    char url[512];
    snprintf(url, sizeof url, "http://%s/computeMetadata/v1/instance/zone", own && *own ? own : "169.254.169.254");
    enum pom_status status = ask("GET", url, &header, cancel, out);
    char *slash = status == POM_OK ? strrchr(out->data, '/') : NULL, *dash = slash ? strrchr(slash, '-') : NULL;
    if (dash)
        *dash = '\0';
    if (slash)
        memmove(out->data, slash + 1, strlen(slash + 1) + 1);
    out->size = out->data ? strlen(out->data) : 0;
    return status;
}

enum pom_status pom_machine_region(const atomic_bool *cancel, struct pom_buffer *out, struct pom_message *msg) {
    enum pom_status status = POM_OK;
    out->size = 0;
    if (!pom_buffer_text(out, ""))
        return pom_fail_memory(msg, "the machine's region");
    if (!is_on("AWS_EC2_METADATA_DISABLED"))
        status = ask_aws(cancel, out);
    if (status == POM_OK && !out->size && !is_on("NO_GCE_CHECK"))
        status = ask_google(cancel, out);
    return status == POM_OK ? status : pom_fail(msg, status, "the machine's region: interrupted, or no memory");
}
