/* libFuzzer: any bytes at all as a network; one that loads must run. */
#include "base/memory.h"
#include "net/net.h"

#include <stdlib.h>

enum { MOST_BYTES = 1 << 22, MOST_TENSORS = 16, MOST_MACS = 1 << 22 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_small(const struct pom_net_info *info) {
    size_t floats = info->session_bytes / sizeof(float);
    for (int i = 0; i < info->n_inputs; i++)
        floats += info->inputs[i].elements;
    for (int i = 0; i < info->n_outputs; i++)
        floats += info->outputs[i].elements;
    return floats < MOST_BYTES && info->macs < MOST_MACS && info->n_inputs <= MOST_TENSORS &&
           info->n_outputs <= MOST_TENSORS;
}

static void run_once(const struct pom_net *net) {
    const struct pom_net_info *info = pom_net_info(net);
    float *in[MOST_TENSORS] = {0}, *out[MOST_TENSORS] = {0};
    struct pom_net_session *session = NULL;
    for (int i = 0; i < info->n_inputs; i++)
        in[i] = pom_calloc(info->inputs[i].elements, sizeof(float));
    for (int i = 0; i < info->n_outputs; i++)
        out[i] = pom_calloc(info->outputs[i].elements, sizeof(float));
    if (pom_net_session_new(net, 1, &session, NULL) == POM_OK &&
        pom_net_run(session, (const float *const *)in, 1, out, NULL) != POM_OK)
        abort();
    pom_net_session_free(session);
    for (int i = 0; i < MOST_TENSORS; i++) {
        free(in[i]);
        free(out[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pom_net *net = NULL;
    struct pom_message msg;
    if (pom_net_load(data, size, NULL, &net, &msg) == POM_OK && is_small(pom_net_info(net)))
        run_once(net);
    pom_net_free(net);
    return 0;
}
