/* Image files -> features -> where they lie on their first two principal components.
 * cc featurize.c $(pkg-config --cflags --libs pomona) && ./a.out efficientnet-lite0 a.jpg b.png c.webp */
#include <pomona/pomona.h>
#include <stdio.h>
#include <stdlib.h>

static void check(enum pom_status status, const struct pom_message *msg) {
    if (status == POM_OK)
        return;
    fprintf(stderr, "featurize: %s\n", msg->text);
    exit(1);
}

static size_t read_file(const char *path, unsigned char *bytes, size_t max) {
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(bytes, 1, max, file) : 0;
    if (file)
        fclose(file);
    return n;
}

int main(int argc, char **argv) {
    enum { MAX_BYTES = 32 << 20 };
    struct pom_message msg = {0};
    struct pom_model *model;
    struct pom_featurizer *featurizer;
    struct pom_moments *moments;
    struct pom_projection *projection;
    if (argc < 4)
        return fprintf(stderr, "usage: featurize MODEL IMAGE IMAGE...\n"), 1;
    check(pom_model_load(argv[1], NULL, &model, &msg), &msg);
    check(pom_featurizer_new(model, NULL, &featurizer, &msg), &msg);
    size_t d = pom_model_info(model)->features, n = (size_t)argc - 2;
    check(pom_moments_new(d, &moments, &msg), &msg);
    unsigned char *bytes = malloc(MAX_BYTES);
    float *features = malloc(n * d * sizeof *features), *points = malloc(n * 2 * sizeof *points);
    for (size_t i = 0; i < n; i++) {
        struct pom_bytes image = {bytes, read_file(argv[i + 2], bytes, MAX_BYTES)};
        enum pom_status status;
        check(pom_featurize(featurizer, &image, 1, features + i * d, &status, &msg, &msg), &msg);
        check(status, &msg);
        check(pom_moments_add(moments, features + i * d, 1, &msg), &msg);
    }
    check(pom_projection_fit(moments, &(struct pom_pca_options){.k = 2}, &projection, &msg), &msg);
    check(pom_projection_apply(projection, features, n, points, &msg), &msg);
    for (size_t i = 0; i < n; i++)
        printf("%10.4f %10.4f  %s\n", points[i * projection->k], points[(i + 1) * projection->k - 1], argv[i + 2]);
    free(points);
    free(features);
    free(bytes);
    pom_projection_free(projection);
    pom_moments_free(moments);
    pom_featurizer_free(featurizer);
    pom_model_free(model);
    return 0;
}
