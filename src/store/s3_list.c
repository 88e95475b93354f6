/* Listing a bucket, in byte order of key. */
#include "store/s3.h"
#include "store/s3_xml.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PAGE = 16 << 20 };

/* Names that begin with a dot, and the empty objects that stand for folders, are left out. */
static bool is_hidden(const char *name, uint64_t size) {
    size_t n = strlen(name);
    if (n == 0 || (name[n - 1] == '/' && size == 0))
        return true;
    for (const char *part = name; part; part = strchr(part, '/'), part += part != NULL)
        if (*part == '.')
            return true;
    return false;
}

static enum pom_status visit_page(struct pom_s3 *s3, const struct pom_s3_page *page,
    const struct pom_store_visitor *visitor, struct pom_buffer *path, struct pom_message *msg) {
    size_t prefix = strlen(s3->uri.key);
    for (size_t i = 0; i < page->n_objects; i++) {
        const struct pom_s3_object *object = &page->objects[i];
        if (strncmp(object->key, s3->uri.key, prefix) != 0 || is_hidden(object->key + prefix, object->size))
            continue;
        path->size = 0;
        if (!pom_buffer_printf(path, "%s%s", s3->store.prefix, object->key + prefix))
            return pom_fail_memory(msg, "the listing");
        const struct pom_store_entry entry = {path->data, object->size, object->version};
        POM_TRY(visitor->visit(visitor->user, &entry, msg));
    }
    return POM_OK;
}

static enum pom_status get_page(
    struct pom_s3 *s3, const char *token, struct pom_s3_page *page, struct pom_message *msg) {
    struct pom_s3_request request = {.method = "GET", .request = {.subject = s3->store.prefix, .max_bytes = MAX_PAGE}};
    pom_s3_parameter(&request, "list-type", "2");
    pom_s3_parameter(&request, "encoding-type", "url");
    pom_s3_parameter(&request, "prefix", s3->uri.key);
    pom_s3_parameter(&request, "continuation-token", token);
    enum pom_status status = pom_client_run(s3->client, &request.request, msg);
    if (status == POM_OK)
        status = pom_s3_page_parse(request.request.answer->answer.data, request.request.answer->answer.size, page, msg);
    pom_request_clean_up(&request.request);
    return status;
}

enum pom_status pom_s3_list(struct pom_store *store, const struct pom_store_visitor *visitor, struct pom_message *msg) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    struct pom_buffer path = {0};
    char *token = NULL;
    enum pom_status status = POM_OK;
    bool more = true;
    while (more && status == POM_OK) {
        struct pom_s3_page page = {0};
        status = get_page(s3, token, &page, msg);
        if (status == POM_OK)
            status = visit_page(s3, &page, visitor, &path, msg);
        free(token);
        token = page.next ? strdup(page.next) : NULL;
        more = token != NULL;
        pom_s3_page_clean_up(&page);
    }
    free(token);
    pom_buffer_clean_up(&path);
    return status;
}
