/* The models that Pomona knows by name, and where model files lie. */
#ifndef POM_MODEL_REGISTRY_H
#define POM_MODEL_REGISTRY_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* A model known by name. */
struct pom_known_model {
    const char *name;
    size_t features;    /* of the default output */
    const char *about;  /* one line for people */
    const char *obtain; /* the command that brings its file; NULL: it needs none */
};

extern const struct pom_known_model pom_known_models[];
extern const size_t pom_known_models_count;

/* NULL where the name is not a known one. */
const struct pom_known_model *pom_known_model(const char *name);

/* True where the argument is a path to a file rather than a name: it holds a slash or ends in ".onnx". */
bool pom_model_is_path(const char *name_or_path);

/* The file of a model by name: NAME.onnx in the first of these folders that has one:
 *   $POMONA_MODELS; the user's cache, ${XDG_CACHE_HOME:-~/.cache}/pomona/models; share/pomona/models beside the folder
 * of the executable, then of the shared library, then that of the installation; for a build tree, models and ../.deps/models in the folder of the
 * executable. POM_ERR_NOT_FOUND says which command brings it. free() releases *out. */
enum pom_status pom_model_find(const char *name, char **out, struct pom_message *msg);

/* The folder where `model pull` and `model import` keep models: $POMONA_MODELS, else the user's cache. It need not be
 * there yet. free() releases *out. */
enum pom_status pom_model_folder(char **out, struct pom_message *msg);

/* NAME.onnx in that folder, which is made. free() releases *out. */
enum pom_status pom_model_destination(const char *name, char **out, struct pom_message *msg);

#endif
