/* Asking S3 for a page of a listing: ListObjectsV2. */
#include "store/bucket_list.h"
#include "store/s3.h"
#include "store/s3_xml.h"

static bool accept(struct pom_s3_request *request, const struct pom_http_transfer *transfer) {
    return pom_bucket_take(&request->request, transfer);
}

static bool ask(void *store, const struct pom_page_question *question, struct pom_request *base) {
    (void)store;
    struct pom_s3_request *request = (struct pom_s3_request *)base;
    request->method = "GET";
    request->accept = accept;
    pom_s3_parameter(request, "list-type", "2");
    pom_s3_parameter(request, "encoding-type", "url");
    pom_s3_parameter(request, "prefix", question->prefix);
    pom_s3_parameter(request, "continuation-token", question->token);
    pom_s3_parameter(request, "start-after", question->token ? NULL : question->after);
    pom_s3_parameter(request, "delimiter", question->folders ? "/" : NULL);
    return true;
}

static const struct pom_bucket_kind kind = {
    .request_bytes = sizeof(struct pom_s3_request),
    .ask = ask,
    .parse = pom_s3_page_parse,
    .clean_up = pom_request_clean_up,
};

enum pom_status pom_s3_list(struct pom_store *store, const struct pom_store_visitor *visitor, struct pom_message *msg) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    struct pom_page first = s3->first;
    s3->first = (struct pom_page){0};
    const struct pom_bucket bucket = {
        &kind, s3, s3->client, store->prefix, s3->uri.key, s3->folder, first.n_objects ? &first : NULL};
    enum pom_status status = pom_bucket_list(&bucket, visitor, msg);
    pom_page_clean_up(&first);
    return status;
}
