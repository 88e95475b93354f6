/* What a loaded model is made of, for the room itself and for tools that look inside. */
#ifndef POM_MODEL_MODEL_H
#define POM_MODEL_MODEL_H

#include "base/hash.h"
#include "base/memory.h"
#include "image/tensor.h"
#include "net/net.h"
#include <pomona/model.h>

struct pom_model {
    struct pom_model_info info; /* its strings lie in strings */
    struct pom_net *net;        /* NULL: the features are the pixels themselves */
    struct pom_tensor_table table;
    struct pom_arena strings;
};

/* NULL for "pixels". */
static inline const struct pom_net *pom_model_net(const struct pom_model *model) {
    return model->net;
}

/* The preprocessing for a network that takes bytes; borrows the table. */
static inline struct pom_net_pixels pom_net_pixels_of(const struct pom_tensor_table *table) {
    return (struct pom_net_pixels){
        {table->value[0], table->value[1], table->value[2]}, {table->source[0], table->source[1], table->source[2]}};
}

/* POM_ERR_UNSUPPORTED where it is not offered; the message says what to take. */
enum pom_status pom_precision_check(enum pom_precision precision, struct pom_message *msg);

#endif
