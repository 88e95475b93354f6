/* `pomona model bench`: the network alone, on random input, on N threads. */
#ifndef POM_CLI_MODEL_BENCH_H
#define POM_CLI_MODEL_BENCH_H

#include <pomona/model.h>
#include <pomona/status.h>
#include <stdbool.h>

struct pom_bench {
    int threads, batch;
    double seconds;
    bool layers; /* print what each step of the plan takes */
};

/* Runs and prints the figures; the last line is `images/s 312.4  peak 81 %`. */
enum pom_status pom_model_bench(const struct pom_model *model, const struct pom_bench *bench, struct pom_message *msg);

#endif
