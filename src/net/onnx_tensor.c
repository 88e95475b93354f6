/* TensorProto to constant: every element type becomes float or int64. */
#include "net/onnx.h"
#include "net/onnx.pb-c.h"

#include <string.h>

/* How a type is held: in raw_data, and in which typed field otherwise. */
struct tensor_type {
    int32_t type;
    size_t size;
    enum pom_element element;
    enum { FIELD_FLOAT, FIELD_INT32, FIELD_INT64, FIELD_DOUBLE, FIELD_UINT64 } field;
};

static const struct tensor_type tensor_types[] = {
    {ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 4, POM_ELEMENT_FLOAT, FIELD_FLOAT},
    {ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE, 8, POM_ELEMENT_FLOAT, FIELD_DOUBLE},
    {ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16, 2, POM_ELEMENT_FLOAT, FIELD_INT32},
    {ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16, 2, POM_ELEMENT_FLOAT, FIELD_INT32},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 8, POM_ELEMENT_INT, FIELD_INT64},
    {ONNX__TENSOR_PROTO__DATA_TYPE__UINT64, 8, POM_ELEMENT_INT, FIELD_UINT64},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT32, 4, POM_ELEMENT_INT, FIELD_INT32},
    {ONNX__TENSOR_PROTO__DATA_TYPE__UINT32, 4, POM_ELEMENT_INT, FIELD_UINT64},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT16, 2, POM_ELEMENT_INT, FIELD_INT32},
    {ONNX__TENSOR_PROTO__DATA_TYPE__UINT16, 2, POM_ELEMENT_INT, FIELD_INT32},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT8, 1, POM_ELEMENT_INT, FIELD_INT32},
    {ONNX__TENSOR_PROTO__DATA_TYPE__UINT8, 1, POM_ELEMENT_INT, FIELD_INT32},
    {ONNX__TENSOR_PROTO__DATA_TYPE__BOOL, 1, POM_ELEMENT_INT, FIELD_INT32},
};

static const struct tensor_type *find_type(int32_t type) {
    for (size_t i = 0; i < sizeof tensor_types / sizeof *tensor_types; i++)
        if (tensor_types[i].type == type)
            return &tensor_types[i];
    return NULL;
}

/* IEEE 754-2008 binary16 to binary32. Subnormals are exact multiples of 2^-24. */
static float half_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 0x1F, fraction = half & 0x3FF;
    float value;
    if (exponent == 0) {
        value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    uint32_t bits = sign | (exponent == 31 ? 0xFFu : exponent + 112) << 23 | fraction << 13;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float bfloat_to_float(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Element i of little-endian raw data as the bits of its type, sign-extended where the type is signed. */
static int64_t raw_bits(const uint8_t *raw, size_t i, const struct tensor_type *type) {
    uint64_t bits = 0;
    memcpy(&bits, raw + i * type->size, type->size);
    switch (type->type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
        return (int32_t)bits;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT16:
        return (int16_t)bits;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT8:
        return (int8_t)bits;
    default:
        return (int64_t)bits;
    }
}

static size_t typed_count(const Onnx__TensorProto *tensor, const struct tensor_type *type) {
    switch (type->field) {
    case FIELD_FLOAT:
        return tensor->n_float_data;
    case FIELD_INT32:
        return tensor->n_int32_data;
    case FIELD_INT64:
        return tensor->n_int64_data;
    case FIELD_DOUBLE:
        return tensor->n_double_data;
    case FIELD_UINT64:
        return tensor->n_uint64_data;
    }
    return 0;
}

static int64_t typed_bits(const Onnx__TensorProto *tensor, size_t i, const struct tensor_type *type) {
    int64_t bits = 0;
    switch (type->field) {
    case FIELD_FLOAT:
        memcpy(&bits, &tensor->float_data[i], sizeof(float));
        break;
    case FIELD_INT32:
        return tensor->int32_data[i];
    case FIELD_INT64:
        return tensor->int64_data[i];
    case FIELD_DOUBLE:
        memcpy(&bits, &tensor->double_data[i], sizeof(double));
        break;
    case FIELD_UINT64:
        return (int64_t)tensor->uint64_data[i];
    }
    return bits;
}

static float bits_to_float(int64_t bits, int32_t type) {
    double wide;
    float value;
    switch (type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
        memcpy(&wide, &bits, sizeof wide);
        return (float)wide;
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16:
        return half_to_float((uint16_t)bits);
    case ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16:
        return bfloat_to_float((uint16_t)bits);
    default:
        memcpy(&value, &bits, sizeof value);
        return value;
    }
}

static void convert(
    const Onnx__TensorProto *tensor, const uint8_t *raw, const struct tensor_type *type, size_t n, void *out) {
    for (size_t i = 0; i < n; i++) {
        int64_t bits = raw ? raw_bits(raw, i, type) : typed_bits(tensor, i, type);
        if (type->element == POM_ELEMENT_FLOAT)
            ((float *)out)[i] = bits_to_float(bits, type->type);
        else
            ((int64_t *)out)[i] = bits;
    }
}

static enum pom_status check_storage(const Onnx__TensorProto *tensor, const char *name, struct pom_message *msg) {
    if (tensor->has_data_location && tensor->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        return pom_fail(msg, POM_ERR_UNSUPPORTED,
            "tensor '%.80s' keeps its data in another file; save the model with its weights inside "
            "(onnx.save_model(..., save_as_external_data=False))",
            name);
    if (tensor->segment)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "tensor '%.80s' is stored in segments", name);
    if (tensor->n_dims > POM_NET_MAX_RANK)
        return pom_fail(
            msg, POM_ERR_LIMIT, "tensor '%.80s' has rank %zu, more than %d", name, tensor->n_dims, POM_NET_MAX_RANK);
    return POM_OK;
}

static enum pom_status check_count(const Onnx__TensorProto *tensor, struct pom_span raw, const struct tensor_type *type,
    const struct pom_value *value, struct pom_message *msg) {
    size_t have = raw.data ? raw.size / type->size : typed_count(tensor, type);
    if (have != value->elements || (raw.data && raw.size % type->size != 0))
        return pom_fail(msg, POM_ERR_FORMAT, "tensor '%.80s' has data for %zu elements, its shape says %zu",
            value->name, have, value->elements);
    return POM_OK;
}

enum pom_status pom_onnx_tensor(const Onnx__TensorProto *tensor, struct pom_span raw_in_file, struct pom_graph *graph,
    struct pom_value *value, struct pom_message *msg) {
    const struct tensor_type *type = find_type(tensor->data_type);
    if (!type)
        return pom_fail(
            msg, POM_ERR_UNSUPPORTED, "tensor '%.80s' has element type %d", value->name, (int)tensor->data_type);
    POM_TRY(check_storage(tensor, value->name, msg));
    value->element = type->element;
    POM_TRY(pom_value_set_shape(value, (int)tensor->n_dims, tensor->dims, false, msg));
    struct pom_span raw = raw_in_file;
    if (!raw.data && tensor->has_raw_data && tensor->raw_data.len > 0)
        raw = (struct pom_span){tensor->raw_data.data, tensor->raw_data.len};
    POM_TRY(check_count(tensor, raw, type, value, msg));
    if (raw_in_file.data && type->type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT) {
        value->constant = pom_arena_alloc(&graph->arena, 1, sizeof *value->constant);
        if (!value->constant)
            return pom_fail_memory(msg, "a constant of a network");
        value->constant->raw = raw.data;
        value->constant->mapped = graph->mapped;
        return POM_OK;
    }
    void *data;
    POM_TRY(pom_value_make_constant(graph, value, &data, msg));
    convert(tensor, raw.data, type, value->elements, data);
    return POM_OK;
}
