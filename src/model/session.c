#include "model/model.h"

#include <stdlib.h>

struct pom_session {
    const struct pom_model *model;
    struct pom_net_session *net; /* NULL for pixels */
    float *input;                /* max_batch x height x width x 3; NULL where the network takes bytes or is none */
    int max_batch;
};

static size_t picture_pixels(const struct pom_model *model) {
    return (size_t)model->info.height * (size_t)model->info.width;
}

enum pom_status pom_session_new(
    const struct pom_model *model, int max_batch, struct pom_session **out, struct pom_message *msg) {
    if (max_batch < 1)
        return pom_fail(msg, POM_ERR_ARGUMENT, "a batch of %d images: at least 1", max_batch);
    struct pom_session *session = pom_calloc(1, sizeof *session);
    if (!session)
        return pom_fail_memory(msg, "a session");
    *session = (struct pom_session){.model = model, .max_batch = max_batch};
    enum pom_status status = POM_OK;
    if (model->net)
        status = pom_net_session_new(model->net, max_batch, &session->net, msg);
    if (status == POM_OK && model->net && !pom_net_info(model->net)->takes_pixels) {
        session->input = pom_alloc_aligned((size_t)max_batch, picture_pixels(model) * 3 * sizeof(float));
        if (!session->input)
            status = pom_fail_memory(msg, "a session's input");
    }
    if (status == POM_OK)
        *out = session;
    else
        pom_session_free(session);
    return status;
}

void pom_session_free(struct pom_session *session) {
    if (!session)
        return;
    pom_net_session_free(session->net);
    free(session->input);
    free(session);
}

static void pixels_as_features(const uint8_t *pixels, size_t n, float *features) {
    for (size_t i = 0; i < n; i++)
        features[i] = pixels[i];
}

enum pom_status pom_session_run(
    struct pom_session *session, const uint8_t *pixels, int n, float *features, struct pom_message *msg) {
    if (n < 0 || n > session->max_batch)
        return pom_fail(
            msg, POM_ERR_ARGUMENT, "%d images given to a session of batches up to %d", n, session->max_batch);
    if (n == 0)
        return POM_OK;
    const struct pom_model *model = session->model;
    size_t total = (size_t)n * picture_pixels(model);
    if (!model->net) {
        pixels_as_features(pixels, 3 * total, features);
        return POM_OK;
    }
    if (!session->input)
        return pom_net_run_pixels(session->net, pixels, n, (float *const[]){features}, msg);
    pom_tensor_from_rgb(&model->table, pixels, total, session->input);
    return pom_net_run(session->net, (const float *const[]){session->input}, n, (float *const[]){features}, msg);
}
