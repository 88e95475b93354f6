#include "model/download.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CONNECT_SECONDS = 20, STALL_SECONDS = 30, STALL_BYTES_PER_SECOND = 1000, MAX_REDIRECTS = 5 };

struct transfer {
    const struct pom_download *download;
    FILE *file;
    size_t bytes;
    bool too_big;
};

static size_t on_data(char *data, size_t size, size_t n, void *context) {
    struct transfer *transfer = context;
    size_t bytes = size * n;
    transfer->too_big = bytes > transfer->download->max_bytes - transfer->bytes;
    if (transfer->too_big || fwrite(data, 1, bytes, transfer->file) != bytes)
        return 0;
    transfer->bytes += bytes;
    return bytes;
}

static int on_progress(void *context, curl_off_t total, curl_off_t done, curl_off_t up_total, curl_off_t up_done) {
    (void)up_total, (void)up_done;
    const struct transfer *transfer = context;
    const struct pom_download *download = transfer->download;
    if (download->progress)
        download->progress(download->context, (size_t)done, (size_t)total);
    return download->cancel && atomic_load(download->cancel);
}

static bool set_up(CURL *curl, struct transfer *transfer, char *reason) {
    const char *protocols = strncmp(transfer->download->url, "http://", 7) == 0 ? "http,https" : "https";
    bool good = curl_easy_setopt(curl, CURLOPT_URL, transfer->download->url) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, protocols) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_USERAGENT, "pomona/" POM_VERSION) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_PER_SECOND) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer) == CURLE_OK;
    good &= curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
    return good;
}

static enum pom_status explain(
    const struct transfer *transfer, const char *path, CURLcode code, const char *reason, struct pom_message *msg) {
    const char *url = transfer->download->url;
    if (code == CURLE_OK)
        return POM_OK;
    if (transfer->too_big)
        return pom_fail(msg, POM_ERR_LIMIT, "%s has more than %zu bytes, so it is not what was asked for", url,
            transfer->download->max_bytes);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return pom_fail(msg, POM_ERR_CANCELLED, "the download of %s was stopped: nothing is kept", url);
    if (code == CURLE_WRITE_ERROR)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot write %s", path);
    if (code == CURLE_PARTIAL_FILE)
        return pom_fail(
            msg, POM_ERR_NETWORK, "the download of %s broke off after %zu bytes: try again", url, transfer->bytes);
    return pom_fail(msg, POM_ERR_NETWORK, "cannot download %s: %s", url, *reason ? reason : curl_easy_strerror(code));
}

static enum pom_status transfer_file(struct transfer *transfer, const char *path, struct pom_message *msg) {
    char reason[CURL_ERROR_SIZE] = "";
    CURL *curl = curl_easy_init();
    if (!curl || !set_up(curl, transfer, reason)) {
        curl_easy_cleanup(curl);
        return pom_fail(msg, POM_ERR_INTERNAL, "libcurl cannot be set up for %s", transfer->download->url);
    }
    enum pom_status status = explain(transfer, path, curl_easy_perform(curl), reason, msg);
    curl_easy_cleanup(curl);
    return status;
}

enum pom_status pom_download(const struct pom_download *download, const char *path, struct pom_message *msg) {
    struct transfer transfer = {.download = download, .file = fopen(path, "wbe")};
    if (!transfer.file)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot write %s", path);
    enum pom_status status = transfer_file(&transfer, path, msg);
    if (fclose(transfer.file) != 0 && status == POM_OK)
        status = pom_fail_errno(msg, POM_ERR_IO, "cannot write %s", path);
    if (status != POM_OK)
        unlink(path);
    return status;
}
