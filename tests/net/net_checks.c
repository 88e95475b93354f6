/* What tests do with a network once it is written: load, run, compare, read its plan. */
#include "cmocka_include.h"

#include "nets.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pom_net *net_load(const struct net_writer *writer, const char *isa, const struct pom_net_options *options) {
    struct pom_net *net = NULL;
    struct pom_message msg = {{0}};
    if (isa)
        setenv("POMONA_CPU", isa, 1);
    if (pom_net_load(writer->bytes.data, writer->bytes.size, options, &net, &msg) != POM_OK)
        fail_msg("%s", msg.text);
    if (isa)
        unsetenv("POMONA_CPU");
    return net;
}

void net_run(const struct pom_net *net, int max_batch, const float *in, int n, float *out) {
    struct pom_net_session *session = NULL;
    assert_int_equal(pom_net_session_new(net, max_batch, &session, NULL), POM_OK);
    assert_int_equal(pom_net_run(session, (const float *const[]){in}, n, (float *const[]){out}, NULL), POM_OK);
    pom_net_session_free(session);
}

double net_cosine(const float *a, const float *b, size_t n) {
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

char *net_plan(const struct pom_net *net) {
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    pom_net_print_plan(net, out);
    fclose(out);
    return text;
}

int net_count(const char *text, const char *word) {
    int n = 0;
    for (const char *at = text; (at = strstr(at, word)); at++)
        n++;
    return n;
}
