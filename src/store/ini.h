/* The files ~/.aws/config and ~/.aws/credentials, as the AWS tools read them:
 * https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html */
#ifndef POM_STORE_INI_H
#define POM_STORE_INI_H

#include "base/memory.h"
#include "base/status.h"

struct pom_ini_entry {
    const char *section, *name, *value; /* name of a nested one: "s3.addressing_style" */
};

/* Zero-initialise; released by pom_ini_clean_up, which wipes the values. */
struct pom_ini {
    struct pom_ini_entry *entries;
    size_t n, capacity;
    struct pom_arena arena;
};

/* Adds the entries of a file's text, which may be any bytes: lines that say nothing are passed over. */
enum pom_status pom_ini_parse(struct pom_ini *ini, const char *text, size_t n, struct pom_message *msg);

/* The same of a file; one that is not there adds nothing. */
enum pom_status pom_ini_read(struct pom_ini *ini, const char *path, struct pom_message *msg);

/* The last value of that name; NULL: there is none, or it is empty. */
const char *pom_ini_get(const struct pom_ini *ini, const char *section, const char *name);

bool pom_ini_has_section(const struct pom_ini *ini, const char *section);

void pom_ini_clean_up(struct pom_ini *ini);

#endif
