/* One model, several threads, each with a session of its own: the same bits as alone. */
#include "keras_fixture.h"
#include "model/keras.h"
#include <pomona/pomona.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 3, ROUNDS = 4, SIZE = 32, FEATURES = 1280 };

static struct pom_model *model;
static uint8_t pixels[SIZE * SIZE * 3];

static void *run(void *out) {
    struct pom_message msg = {0};
    struct pom_session *session = NULL;
    enum pom_status status = pom_session_new(model, 1, &session, &msg);
    for (int i = 0; i < ROUNDS && status == POM_OK; i++)
        status = pom_session_run(session, pixels, 1, out, &msg);
    pom_session_free(session);
    if (status != POM_OK)
        fprintf(stderr, "%s\n", msg.text);
    return status == POM_OK ? out : NULL;
}

static int compare_threads(void) {
    static float alone[FEATURES], together[THREADS][FEATURES];
    pthread_t threads[THREADS];
    int bad = run(alone) == NULL;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, run, together[i]) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        bad |= memcmp(alone, together[i], sizeof alone) != 0;
    }
    return bad;
}

int main(void) {
    static const char *const h5 = "test-threads.h5", *const onnx = "test-threads.onnx";
    struct pom_message msg = {0};
    struct pom_keras_imported imported;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 7919 >> 3);
    fixture_mobilenetv2(h5);
    if (pom_keras_import(h5, onnx, &imported, &msg) != POM_OK ||
        pom_model_load(onnx, &(struct pom_model_options){.size = SIZE}, &model, &msg) != POM_OK) {
        fprintf(stderr, "%s\n", msg.text);
        return 1;
    }
    int bad = compare_threads();
    pom_model_free(model);
    return unlink(h5) || unlink(onnx) || bad;
}
