#include "base/buffer.h"

#include "base/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool pom_buffer_reserve(struct pom_buffer *buffer, size_t extra) {
    size_t need;
    if (__builtin_add_overflow(buffer->size, extra, &need) || __builtin_add_overflow(need, (size_t)1, &need))
        return false;
    void *data = buffer->data;
    if (!pom_grow(&data, &buffer->capacity, need, 1))
        return false;
    buffer->data = data;
    return true;
}

bool pom_buffer_append(struct pom_buffer *buffer, const void *data, size_t n) {
    if (!pom_buffer_reserve(buffer, n))
        return false;
    if (n)
        memcpy(buffer->data + buffer->size, data, n);
    buffer->size += n;
    buffer->data[buffer->size] = '\0';
    return true;
}

bool pom_buffer_text(struct pom_buffer *buffer, const char *text) {
    return pom_buffer_append(buffer, text, strlen(text));
}

bool pom_buffer_texts(struct pom_buffer *buffer, const char *const *texts) {
    size_t before = buffer->size;
    for (; *texts; texts++) {
        if (pom_buffer_text(buffer, *texts))
            continue;
        buffer->size = before;
        if (buffer->data)
            buffer->data[before] = '\0';
        return false;
    }
    return true;
}

bool pom_buffer_printf(struct pom_buffer *buffer, const char *format, ...) {
    size_t room = buffer->capacity - buffer->size;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(room ? buffer->data + buffer->size : NULL, room, format, args);
    va_end(args);
    if (n < 0 || !pom_buffer_reserve(buffer, (size_t)n)) {
        if (room)
            buffer->data[buffer->size] = '\0';
        return false;
    }
    if ((size_t)n >= room) { /* it did not fit */
        va_start(args, format);
        vsnprintf(buffer->data + buffer->size, (size_t)n + 1, format, args);
        va_end(args);
    }
    buffer->size += (size_t)n;
    return true;
}

void pom_buffer_clean_up(struct pom_buffer *buffer) {
    free(buffer->data);
    *buffer = (struct pom_buffer){0};
}
