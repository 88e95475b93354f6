/* Listing a bucket of Google Cloud Storage, in byte order of name. */
#include "store/gs.h"
#include "store/gs_json.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_PAGE = 32 << 20 };

static enum pom_status visit_page(struct pom_gs *gs, const struct pom_gs_page *page,
    const struct pom_store_visitor *visitor, struct pom_buffer *path, struct pom_message *msg) {
    size_t prefix = strlen(gs->uri.key);
    for (size_t i = 0; i < page->n_objects; i++) {
        const struct pom_gs_object *object = &page->objects[i];
        if (!object->name || strncmp(object->name, gs->uri.key, prefix) != 0 ||
            pom_remote_is_hidden(object->name + prefix, object->size))
            continue;
        path->size = 0;
        if (!pom_buffer_printf(path, "%s%s", gs->remote.store.prefix, object->name + prefix))
            return pom_fail_memory(msg, "the listing");
        const struct pom_store_entry entry = {path->data, object->size, object->version};
        POM_TRY(visitor->visit(visitor->user, &entry, msg));
    }
    return POM_OK;
}

static bool write_url(const struct pom_gs *gs, const char *token, struct pom_buffer *url) {
    bool good = pom_gs_url(gs, NULL, url) &&
                pom_buffer_text(url, "?fields=items(name,size,generation),nextPageToken&prefix=") &&
                pom_uri_encode(url, gs->uri.key, "");
    return good && (!token || (pom_buffer_text(url, "&pageToken=") && pom_uri_encode(url, token, "")));
}

static enum pom_status get_page(
    struct pom_gs *gs, const char *token, struct pom_gs_page *page, struct pom_message *msg) {
    struct pom_call call = {.method = "GET", .request = {.subject = gs->remote.store.prefix, .max_bytes = MAX_PAGE}};
    enum pom_status status =
        write_url(gs, token, &call.url) ? pom_remote_run(&gs->remote, &call, msg) : pom_fail_memory(msg, "the listing");
    if (status == POM_OK)
        status = pom_gs_page_parse(call.request.answer->answer.data, call.request.answer->answer.size, page, msg);
    pom_call_clean_up(&call);
    return status;
}

static enum pom_status list_object(
    struct pom_gs *gs, const struct pom_store_visitor *visitor, struct pom_message *msg) {
    struct pom_remote_object object;
    const char *path = gs->remote.store.prefix;
    POM_TRY(gs->remote.kind->stat(&gs->remote, path, &object, msg));
    const struct pom_store_entry entry = {path, object.size, object.version};
    return object.found ? visitor->visit(visitor->user, &entry, msg) : POM_OK;
}

enum pom_status pom_gs_list(struct pom_store *store, const struct pom_store_visitor *visitor, struct pom_message *msg) {
    struct pom_gs *gs = (struct pom_gs *)store;
    struct pom_buffer path = {0};
    char *token = NULL;
    enum pom_status status = POM_OK;
    bool more = true;
    if (!gs->folder)
        return list_object(gs, visitor, msg);
    while (more && status == POM_OK) {
        struct pom_gs_page page = {0};
        status = get_page(gs, token, &page, msg);
        if (status == POM_OK)
            status = visit_page(gs, &page, visitor, &path, msg);
        free(token);
        token = page.next ? strdup(page.next) : NULL;
        more = page.next != NULL;
        if (more && !token && status == POM_OK)
            status = pom_fail_memory(msg, "the listing");
        pom_gs_page_clean_up(&page);
    }
    free(token);
    pom_buffer_clean_up(&path);
    return status;
}
