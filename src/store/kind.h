/* What a kind of store provides. The functions follow store.h, which says what they do. */
#ifndef POM_STORE_KIND_H
#define POM_STORE_KIND_H

#include "store/store.h"

struct pom_store_kind {
    enum pom_status (*open)(
        const char *location, bool create, const atomic_bool *cancel, struct pom_store **out, struct pom_message *msg);
    void (*close)(struct pom_store *store);
    enum pom_status (*list)(struct pom_store *, const struct pom_store_visitor *, struct pom_message *);
    enum pom_status (*read)(
        struct pom_store *, const struct pom_store_entry *, size_t max, struct pom_buffer *, struct pom_message *);
    void (*read_start)(
        struct pom_store *, struct pom_store_read *); /* NULL, as the next two and download, where no network is */
    void (*cancel)(struct pom_store *);
    uint64_t (*requests)(const struct pom_store *);
    enum pom_status (*version)(struct pom_store *, const char *name, struct pom_buffer *, struct pom_message *);
    enum pom_status (*download)(struct pom_store *, const char *name, const char *file, struct pom_message *);
    enum pom_status (*publish)(struct pom_store *, const char *file, const char *name, struct pom_message *);
    enum pom_status (*file_version)(struct pom_store *, const char *file, struct pom_buffer *, struct pom_message *);
    enum pom_status (*remove)(struct pom_store *, const char *name, struct pom_message *);
    enum pom_status (*tidy)(struct pom_store *, struct pom_message *); /* NULL: nothing is ever left */
    enum pom_status (*note_read)(struct pom_store *, const char *name, struct pom_store_note *, struct pom_message *);
    enum pom_status (*note_write)(
        struct pom_store *, const char *name, const char *text, struct pom_buffer *version, struct pom_message *);
    enum pom_status (*note_remove)(struct pom_store *, const char *name, struct pom_message *); /* NULL, as the two */
    void (*examine)(struct pom_store *, bool write, const struct pom_examiner *); /* NULL: there is nothing to tell */
    enum pom_status (*region)(struct pom_store *, struct pom_buffer *, struct pom_message *); /* NULL: unknown */
};

/* The head of every kind's own struct. */
struct pom_store {
    const struct pom_store_kind *kind;
    char *prefix;  /* freed by pom_store_close */
    char *staging; /* freed by pom_store_close; NULL where the store was not opened with create */
};

extern const struct pom_store_kind pom_file_store, pom_gs_store, pom_hdfs_store, pom_s3_store;

#endif
