/* Protocol buffers on the wire, as far as protobuf-c leaves it open: how deep messages nest, and taking a large field
 * out before the rest is unpacked. Source: https://protobuf.dev/programming-guides/encoding/ */
#ifndef POM_NET_WIRE_H
#define POM_NET_WIRE_H

#include "base/buffer.h"
#include "base/status.h"
#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

struct pom_span {
    const uint8_t *data;
    size_t size;
};

/* A growing list; zero-initialise, and free(items). */
struct pom_spans {
    struct pom_span *items;
    size_t n, room;
};

/* Splits a message: the length-delimited fields with number `field` go to taken, the bytes of all others to rest. */
enum pom_status pom_wire_cut(
    struct pom_span message, uint32_t field, struct pom_spans *taken, struct pom_buffer *rest, struct pom_message *msg);

/* Checks that a message and those in it are well-formed and nest no deeper than `depth`; protobuf-c recurses unchecked.
 */
enum pom_status pom_wire_check(
    struct pom_span message, const ProtobufCMessageDescriptor *type, int depth, struct pom_message *msg);

#endif
