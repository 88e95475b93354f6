#include "store/examine.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void pom_examiner_tell(
    const struct pom_examiner *examiner, enum pom_finding finding, const char *topic, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    examiner->tell(examiner->user, finding, topic, text);
}

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The host alone: user and password may stand before it. */
static void tell_proxy(const struct pom_examiner *examiner, const char *name, const char *value) {
    const char *at = strrchr(value, '@'), *none = setting("no_proxy");
    pom_examiner_tell(examiner, POM_FINDING_NOTE, "proxy", "%s leads over %s%s%.100s (no_proxy: %.100s)", name,
        at ? "(user and password) " : "", at ? "@" : "", at ? at + 1 : value, none ? none : "nothing");
}

static void examine_proxy(const struct pom_examiner *examiner) {
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"};
    bool told = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = setting(names[i]);
        if (value)
            tell_proxy(examiner, names[i], value);
        told = told || value;
    }
    if (!told)
        pom_examiner_tell(examiner, POM_FINDING_GOOD, "proxy", "none is set: buckets are reached directly");
}

void pom_store_examine_network(const struct pom_examiner *examiner) {
    static const char *const names[] = {"AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"};
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    pom_examiner_tell(examiner, POM_FINDING_GOOD, "tls", "certificates are verified, by libcurl %s with %s",
        info->version, info->ssl_version ? info->ssl_version : "no TLS");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *file = setting(names[i]);
        if (!file)
            continue;
        bool there = access(file, R_OK) == 0;
        pom_examiner_tell(examiner, there ? POM_FINDING_NOTE : POM_FINDING_BAD, "tls",
            there ? "authorities are those of %s=%.200s" : "%s=%.200s cannot be read: no server would be trusted",
            names[i], file);
        break;
    }
    examine_proxy(examiner);
}
