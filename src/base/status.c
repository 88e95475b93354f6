#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    [POM_OK] = "ok",
    [POM_ERR_ARGUMENT] = "bad argument",
    [POM_ERR_MEMORY] = "out of memory",
    [POM_ERR_IO] = "input/output error",
    [POM_ERR_NOT_FOUND] = "not found",
    [POM_ERR_FORMAT] = "bad format",
    [POM_ERR_UNSUPPORTED] = "unsupported",
    [POM_ERR_LIMIT] = "over a limit",
    [POM_ERR_CONFLICT] = "conflict",
    [POM_ERR_NETWORK] = "network error",
    [POM_ERR_CANCELLED] = "cancelled",
    [POM_ERR_INTERNAL] = "internal error",
};

const char *pom_status_name(enum pom_status status) {
    size_t i = (size_t)status;
    return i < sizeof names / sizeof *names ? names[i] : "unknown status";
}

const char *pom_version(void) {
    return POM_VERSION;
}

enum pom_status pom_fail(struct pom_message *msg, enum pom_status status, const char *format, ...) {
    if (msg) {
        va_list args;
        va_start(args, format);
        vsnprintf(msg->text, sizeof msg->text, format, args);
        va_end(args);
    }
    return status;
}

/* What to do about it, where the user can do something. */
static const char *advice_on(int error) {
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return "; make room there, then run the same command again";
    case EROFS:
        return "; it is mounted read-only: name another place";
    case EFBIG:
        return "; files may not become larger here (ulimit -f): have the limit raised, then run the same command again";
    case EACCES:
    case EPERM:
        return "; have the permission given, or name another place";
    default:
        return "";
    }
}

enum pom_status pom_fail_errno(struct pom_message *msg, enum pom_status status, const char *format, ...) {
    int saved = errno;
    if (msg) {
        char head[sizeof msg->text - 256], reason[128];
        va_list args;
        va_start(args, format);
        vsnprintf(head, sizeof head, format, args);
        va_end(args);
        snprintf(msg->text, sizeof msg->text, "%s: %.120s%s", head, strerror_r(saved, reason, sizeof reason),
            advice_on(saved));
    }
    return status;
}

enum pom_status pom_fail_in(struct pom_message *msg, enum pom_status status, const char *format, ...) {
    if (msg) {
        char head[sizeof msg->text / 2];
        struct pom_message tail = *msg;
        va_list args;
        va_start(args, format);
        vsnprintf(head, sizeof head, format, args);
        va_end(args);
        int room = (int)(sizeof msg->text - strlen(head) - 3);
        snprintf(msg->text, sizeof msg->text, "%s: %.*s", head, room, tail.text);
    }
    return status;
}

enum pom_status pom_fail_memory(struct pom_message *msg, const char *what) {
    return pom_fail(
        msg, POM_ERR_MEMORY, "out of memory for %s: give the process more, or let it do with fewer threads", what);
}
