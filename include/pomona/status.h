/* Status codes and messages: how every fallible function of Pomona reports. */
#ifndef POMONA_STATUS_H
#define POMONA_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#define POM_API __attribute__((visibility("default")))
#define POM_NODISCARD __attribute__((warn_unused_result))

enum pom_status {
    POM_OK = 0,
    POM_ERR_ARGUMENT,    /* an argument or option is out of its range */
    POM_ERR_MEMORY,      /* an allocation failed */
    POM_ERR_IO,          /* the operating system refused a read or write */
    POM_ERR_NOT_FOUND,   /* no such file, model, layer or table */
    POM_ERR_FORMAT,      /* the bytes are not what they claim to be: truncated, corrupt or hostile */
    POM_ERR_UNSUPPORTED, /* well-formed, but a feature that Pomona does not have */
    POM_ERR_LIMIT,       /* over a bound on size, memory or time */
    POM_ERR_CONFLICT,    /* the destination is in use or was made with other settings */
    POM_ERR_NETWORK,     /* a remote host failed or refused */
    POM_ERR_CANCELLED,   /* the caller asked to stop */
    POM_ERR_INTERNAL     /* a defect in Pomona: please report it */
};

/* What failed, on what, and what to do about it; one line, UTF-8, NUL-terminated, no secrets. */
struct pom_message {
    char text[512];
};

/* A short English name of the status, e.g. "bad format". Static storage; thread-safe. */
POM_API const char *pom_status_name(enum pom_status status);

/* The library's version, "MAJOR.MINOR.PATCH". Static storage; thread-safe. */
POM_API const char *pom_version(void);

#ifdef __cplusplus
}
#endif
#endif
