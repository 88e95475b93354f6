/* What loading a large file costs: its weights once, packed, and not the file beside them. */
#include "cmocka_include.h"

#include "base/resources.h"
#include "model/onnx_writer.h"
#include <fcntl.h>
#include <pomona/model.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const LARGE = "test-large.onnx";

enum { SIDE = 4096 };

static void write_matrix(struct pom_onnx *onnx, const char *name, int rows, const char *input, const char *output) {
    float *weights = pom_onnx_weight(onnx, name, 2, (int64_t[]){rows, SIDE});
    assert_non_null(weights);
    for (int i = 0; i < rows * SIDE; i++)
        weights[i] = (float)(i % 251 - 125) * 0x1p-12f;
    pom_onnx_node(onnx, "MatMul", output, (const char *[]){input, name}, 2);
}

/* The mean of each channel, through matrices of 3 x 4096 and 4096 x 4096: 67 MB. */
static void write_large(void) {
    struct pom_message msg = {0};
    struct pom_onnx *onnx = pom_onnx_new("large");
    pom_onnx_input(onnx, "image", (struct pom_onnx_dim[]){{"n", 0}, {NULL, 3}, {"h", 0}, {"w", 0}}, 4);
    pom_onnx_node(onnx, "GlobalAveragePool", "pool", (const char *[]){"image"}, 1);
    pom_onnx_node(onnx, "Flatten", "flat", (const char *[]){"pool"}, 1);
    write_matrix(onnx, "first", 3, "flat", "wide");
    write_matrix(onnx, "second", SIDE, "wide", "features");
    pom_onnx_output(onnx, "features", (struct pom_onnx_dim[]){{"n", 0}, {NULL, SIDE}}, 2);
    pom_onnx_metadata(onnx, "pomona.preprocess", "tf");
    assert_int_equal(pom_onnx_save(onnx, LARGE, &msg), POM_OK);
    pom_onnx_free(onnx);
}

/* From here on the peak is that of what follows (proc(5), clear_refs). */
static bool forget_peak(void) {
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, "5", 1) == 1;
    if (fd >= 0)
        close(fd);
    return done;
}

static void the_file_does_not_stay_in_memory(void **state) {
    (void)state;
    struct pom_message msg = {0};
    struct pom_model *model = NULL;
    struct stat file;
    write_large();
    assert_int_equal(stat(LARGE, &file), 0);
    if (!forget_peak()) {
        print_message("SKIPPED the peak of a load: /proc/self/clear_refs cannot be written\n");
        skip();
    }
    size_t before = pom_peak_memory(), bytes = (size_t)file.st_size;
    if (pom_model_load(LARGE, NULL, &model, &msg) != POM_OK)
        fail_msg("%s", msg.text);
    size_t taken = pom_peak_memory() - before;
    if (taken > bytes + bytes / 2)
        fail_msg("loading %zu bytes took %zu", bytes, taken);
    assert_true(pom_model_info(model)->weight_bytes >= bytes * 99 / 100);
    pom_model_free(model);
    unlink(LARGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_file_does_not_stay_in_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
