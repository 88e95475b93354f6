#include "net/wire.h"

#include "base/memory.h"

enum wire_type { VARINT = 0, FIXED64 = 1, DELIMITED = 2, FIXED32 = 5 };

/* One field: its number, its wire type, all its bytes, and the payload where it is delimited. */
struct wire_field {
    uint32_t number;
    enum wire_type type;
    struct pom_span whole, payload;
};

static bool take(struct pom_span *from, size_t n) {
    if (n > from->size)
        return false;
    from->data += n;
    from->size -= n;
    return true;
}

static bool read_varint(struct pom_span *from, uint64_t *out) {
    *out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (from->size == 0)
            return false;
        uint8_t byte = from->data[0];
        take(from, 1);
        *out |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool read_payload(struct pom_span *from, struct wire_field *field) {
    uint64_t value;
    switch (field->type) {
    case VARINT:
        return read_varint(from, &value);
    case FIXED64:
        return take(from, 8);
    case FIXED32:
        return take(from, 4);
    case DELIMITED:
        if (!read_varint(from, &value) || value > from->size)
            return false;
        field->payload = (struct pom_span){from->data, (size_t)value};
        return take(from, (size_t)value);
    }
    return false; /* groups, which proto2 no longer has */
}

static bool read_field(struct pom_span *from, struct wire_field *field) {
    const uint8_t *start = from->data;
    uint64_t tag;
    if (!read_varint(from, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
        return false;
    *field = (struct wire_field){.number = (uint32_t)(tag >> 3), .type = (enum wire_type)(tag & 7)};
    if (!read_payload(from, field))
        return false;
    field->whole = (struct pom_span){start, (size_t)(from->data - start)};
    return true;
}

static enum pom_status truncated(struct pom_message *msg) {
    return pom_fail(msg, POM_ERR_FORMAT, "not an ONNX model: the file is truncated or damaged");
}

enum pom_status pom_wire_cut(struct pom_span message, uint32_t field, struct pom_spans *taken, struct pom_buffer *rest,
    struct pom_message *msg) {
    while (message.size > 0) {
        struct wire_field at;
        if (!read_field(&message, &at))
            return truncated(msg);
        bool kept = true;
        if (at.number == field && at.type == DELIMITED) {
            kept = pom_grow((void **)&taken->items, &taken->room, taken->n + 1, sizeof *taken->items);
            if (kept)
                taken->items[taken->n++] = at.payload;
        } else {
            kept = pom_buffer_append(rest, at.whole.data, at.whole.size);
        }
        if (!kept)
            return pom_fail_memory(msg, "an ONNX model");
    }
    return POM_OK;
}

enum pom_status pom_wire_check(
    struct pom_span message, const ProtobufCMessageDescriptor *type, int depth, struct pom_message *msg) {
    if (depth == 0)
        return pom_fail(msg, POM_ERR_LIMIT, "the ONNX model nests its messages too deeply");
    while (message.size > 0) {
        struct wire_field at;
        if (!read_field(&message, &at))
            return truncated(msg);
        const ProtobufCFieldDescriptor *known = protobuf_c_message_descriptor_get_field(type, at.number);
        if (known && known->type == PROTOBUF_C_TYPE_MESSAGE && at.type == DELIMITED)
            POM_TRY(pom_wire_check(at.payload, known->descriptor, depth - 1, msg));
    }
    return POM_OK;
}
