/* A network in the precision that is asked for, calibrated on random pixels: to be timed and looked at, not to compute
 * features with. */
#ifndef POM_CLI_FAST_MODEL_H
#define POM_CLI_FAST_MODEL_H

#include "job/features_job.h"

/* As pom_model_load; options' precision and calibration are set here. fast: int8, else bf16, else exact: the model's
 * info tells which. */
enum pom_status pom_fast_model_load(const char *name, const struct pom_model_options *options, enum pom_wish precision,
    struct pom_model **out, struct pom_message *msg);

#endif
