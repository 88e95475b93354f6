/* Making and passing on failures. */
#ifndef POM_BASE_STATUS_H
#define POM_BASE_STATUS_H

#include <pomona/status.h>

/* Fills msg (may be NULL) printf-style and returns status: `return pom_fail(msg, POM_ERR_IO, "...", ...)`. */
enum pom_status pom_fail(struct pom_message *msg, enum pom_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As pom_fail, with ": <strerror(errno)>" appended; errno is read first. */
enum pom_status pom_fail_errno(struct pom_message *msg, enum pom_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " in front of a message that is already there, to say on what it happened. Returns status. */
enum pom_status pom_fail_in(struct pom_message *msg, enum pom_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The usual end of a failed allocation. */
enum pom_status pom_fail_memory(struct pom_message *msg, const char *what);

#define POM_TRY(call)                                                                                                  \
    do {                                                                                                               \
        enum pom_status pom_try_status_ = (call);                                                                      \
        if (pom_try_status_ != POM_OK)                                                                                 \
            return pom_try_status_;                                                                                    \
    } while (0)

#endif
