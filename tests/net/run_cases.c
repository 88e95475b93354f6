/* Runs cases in the layout of ONNX's backend tests: FOLDER/model.onnx and FOLDER/test_data_set_<k>/input_<i>.pb and
 * output_<i>.pb (TensorProto). One line a case: "pass NAME ERROR", "fail NAME ERROR", "wrong NAME why" or
 * "refused NAME message", where ERROR is the largest difference relative to the largest expected number.
 *
 * usage: run_cases [-r TOLERANCE] FOLDER... */
#include "base/file.h"
#include "base/memory.h"
#include "net/net.h"
#include "net/onnx.h"
#include "net/onnx.pb-c.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TENSORS = 32 };

/* The tensors of a case; data is float, whatever the file's type. */
struct tensors {
    int n;
    struct pom_value *values[MAX_TENSORS];
    const float *data[MAX_TENSORS];
    struct pom_graph owner;
};

static enum pom_status add_tensor(struct tensors *to, const struct pom_buffer *bytes, struct pom_message *msg) {
    struct pom_value *value;
    Onnx__TensorProto *tensor = onnx__tensor_proto__unpack(NULL, bytes->size, (const uint8_t *)bytes->data);
    if (!tensor || to->n == MAX_TENSORS)
        return pom_fail(msg, POM_ERR_FORMAT, "bad tensor");
    enum pom_status status = pom_graph_add_value(&to->owner, "", &value, msg);
    if (status == POM_OK)
        status = pom_onnx_tensor(tensor, (struct pom_span){0}, &to->owner, value, msg);
    onnx__tensor_proto__free_unpacked(tensor, NULL);
    POM_TRY(status);
    if (value->element != POM_ELEMENT_FLOAT)
        return pom_fail(msg, POM_ERR_FORMAT, "a tensor of the case is not float");
    to->values[to->n] = value;
    to->data[to->n++] = pom_value_floats(value);
    return POM_OK;
}

static enum pom_status read_tensors(const char *folder, const char *kind, struct tensors *to, struct pom_message *msg) {
    for (int i = 0;; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s_%d.pb", folder, kind, i);
        if (!pom_file_exists(path))
            return POM_OK;
        struct pom_buffer bytes = {0};
        enum pom_status status = pom_file_read(path, SIZE_MAX / 2, &bytes, msg);
        if (status == POM_OK)
            status = add_tensor(to, &bytes, msg);
        pom_buffer_clean_up(&bytes);
        POM_TRY(status);
    }
}

/* The largest difference between what came and what should have come, relative to the largest expected number. */
static double worst(const float *got, const float *expected, size_t n) {
    double difference = 0, scale = 1e-30;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(expected[i]) && fabs((double)expected[i]) > scale)
            scale = fabs((double)expected[i]);
        bool same = got[i] == expected[i] || (isnan(got[i]) && isnan(expected[i]));
        double d = same ? 0 : fabs((double)got[i] - (double)expected[i]);
        difference = d > difference || isnan(d) ? (isnan(d) ? INFINITY : d) : difference;
    }
    return difference / scale;
}

static enum pom_status fit_batch(
    const struct pom_net_tensor *tensor, const struct pom_value *value, int *n, struct pom_message *msg) {
    if (tensor->batched && value->rank > 0)
        *n = (int)value->dims[0];
    size_t expected = tensor->elements * (tensor->batched ? (size_t)*n : 1);
    if (value->elements != expected)
        return pom_fail(
            msg, POM_ERR_FORMAT, "tensor %s has %zu elements, the case %zu", tensor->name, expected, value->elements);
    return POM_OK;
}

static enum pom_status run_set(const struct pom_net *net, const struct tensors *in, const struct tensors *expected,
    double *error, struct pom_message *msg) {
    const struct pom_net_info *info = pom_net_info(net);
    float *out[MAX_TENSORS] = {0};
    int n = 1;
    if (info->n_inputs != in->n || info->n_outputs != expected->n)
        return pom_fail(msg, POM_ERR_FORMAT, "%d inputs and %d outputs, the case has %d and %d", info->n_inputs,
            info->n_outputs, in->n, expected->n);
    for (int i = 0; i < in->n; i++)
        POM_TRY(fit_batch(&info->inputs[i], in->values[i], &n, msg));
    struct pom_net_session *session;
    POM_TRY(pom_net_session_new(net, n, &session, msg));
    enum pom_status status = POM_OK;
    for (int i = 0; i < expected->n && status == POM_OK; i++) {
        status = fit_batch(&info->outputs[i], expected->values[i], &n, msg);
        out[i] = pom_calloc(expected->values[i]->elements, sizeof(float));
    }
    if (status == POM_OK)
        status = pom_net_run(session, in->data, n, out, msg);
    for (int i = 0; i < expected->n; i++) {
        double e = status == POM_OK ? worst(out[i], expected->data[i], expected->values[i]->elements) : 0;
        *error = e > *error ? e : *error;
        free(out[i]);
    }
    pom_net_session_free(session);
    return status;
}

static enum pom_status run_sets(const struct pom_net *net, const char *folder, double *error, struct pom_message *msg) {
    for (int k = 0;; k++) {
        char set[4096 - 32];
        snprintf(set, sizeof set, "%s/test_data_set_%d", folder, k);
        if (!pom_file_exists(set))
            return k > 0 ? POM_OK : pom_fail(msg, POM_ERR_NOT_FOUND, "%s has no test_data_set_0", folder);
        struct tensors in = {0}, expected = {0};
        enum pom_status status = read_tensors(set, "input", &in, msg);
        if (status == POM_OK)
            status = read_tensors(set, "output", &expected, msg);
        if (status == POM_OK)
            status = run_set(net, &in, &expected, error, msg);
        pom_graph_clean_up(&in.owner);
        pom_graph_clean_up(&expected.owner);
        POM_TRY(status);
    }
}

static void run_case(const char *folder, double tolerance) {
    const char *slash = strrchr(folder, '/'), *name = slash ? slash + 1 : folder;
    char path[4096];
    struct pom_message msg = {{0}};
    struct pom_map model = {0};
    struct pom_net *net = NULL;
    double error = 0;
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    enum pom_status status = pom_file_map(path, &model, &msg);
    if (status == POM_OK)
        status = pom_net_load(model.data, model.size, NULL, &net, &msg);
    if (status != POM_OK) {
        printf("refused %s %s\n", name, msg.text);
    } else if (run_sets(net, folder, &error, &msg) != POM_OK) {
        printf("wrong %s %s\n", name, msg.text);
    } else {
        printf("%s %s %.2e\n", error <= tolerance ? "pass" : "fail", name, error);
    }
    pom_net_free(net);
    pom_file_unmap(&model);
}

int main(int argc, char **argv) {
    double tolerance = 1e-4;
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "-r") == 0) {
        tolerance = strtod(argv[2], NULL);
        first = 3;
    }
    if (first >= argc) {
        fprintf(stderr, "usage: run_cases [-r TOLERANCE] FOLDER...\n");
        return 1;
    }
    for (int i = first; i < argc; i++)
        run_case(argv[i], tolerance);
    return 0;
}
