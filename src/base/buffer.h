/* A growing byte buffer that is always NUL-terminated past its end, so that it serves for text too. */
#ifndef POM_BASE_BUFFER_H
#define POM_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* Zero-initialise. */
struct pom_buffer {
    char *data;
    size_t size, capacity;
};

/* All return false on no memory, and then the buffer is as before. */
bool pom_buffer_reserve(struct pom_buffer *buffer, size_t extra);
bool pom_buffer_append(struct pom_buffer *buffer, const void *data, size_t n);
bool pom_buffer_text(struct pom_buffer *buffer, const char *text);
bool pom_buffer_texts(struct pom_buffer *buffer, const char *const *texts); /* one behind the other, up to NULL */
bool pom_buffer_printf(struct pom_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pom_buffer_clean_up(struct pom_buffer *buffer);

#endif
