/* Asking Google Cloud Storage for a page of a listing: objects.list. */
#include "store/bucket_list.h"
#include "store/gs.h"
#include "store/gs_json.h"

static enum pom_verdict accept_page(struct pom_call *call, const struct pom_http_transfer *transfer) {
    return pom_bucket_take(&call->request, transfer) ? POM_VERDICT_DONE : POM_VERDICT_RETRY;
}

static bool add(struct pom_buffer *url, const char *name, const char *value) {
    return !value || (pom_buffer_printf(url, "&%s=", name) && pom_uri_encode(url, value, ""));
}

static bool ask(void *store, const struct pom_page_question *question, struct pom_request *request) {
    struct pom_call *call = (struct pom_call *)request;
    call->method = "GET";
    call->accept = accept_page;
    return pom_gs_url(store, NULL, &call->url) &&
           pom_buffer_printf(
               &call->url, "?maxResults=%d&fields=items(name,size,generation),prefixes,nextPageToken", POM_PAGE_KEYS) &&
           add(&call->url, "prefix", question->prefix) && add(&call->url, "pageToken", question->token) &&
           add(&call->url, "startOffset", question->token ? NULL : question->after) &&
           add(&call->url, "delimiter", question->folders ? "/" : NULL);
}

static void clean_up(struct pom_request *request) {
    pom_call_clean_up((struct pom_call *)request);
}

static const struct pom_bucket_kind kind = {
    .request_bytes = sizeof(struct pom_call), .ask = ask, .parse = pom_gs_page_parse, .clean_up = clean_up};

enum pom_status pom_gs_list(struct pom_store *store, const struct pom_store_visitor *visitor, struct pom_message *msg) {
    struct pom_gs *gs = (struct pom_gs *)store;
    const struct pom_bucket bucket = {&kind, gs, gs->remote.client, store->prefix, gs->uri.key, gs->folder, NULL};
    return pom_bucket_list(&bucket, visitor, msg);
}
