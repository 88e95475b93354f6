/* The answers of Google Cloud Storage that are JSON, read by jansson. */
#ifndef POM_STORE_GS_JSON_H
#define POM_STORE_GS_JSON_H

#include "base/status.h"
#include "store/page.h"
#include "store/remote.h"

/* A page of a listing; an object's version is its generation: digits. POM_ERR_FORMAT: it is something else, or lacks
 * what it must have. */
enum pom_status pom_gs_page_parse(const char *json, size_t n, struct pom_page *out, struct pom_message *msg);

/* An object's metadata. */
enum pom_status pom_gs_object_parse(const char *json, size_t n, struct pom_remote_object *out, struct pom_message *msg);

/* An error: {"error": {...}}, or plain text. Each text is cut to its size, "" where there is none. */
struct pom_gs_error {
    char reason[64], message[200];
};
void pom_gs_error_parse(const char *text, size_t n, struct pom_gs_error *out);

#endif
