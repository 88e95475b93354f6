#include "job/lease_note.h"

void pom_lease_holder_read(const char *text, size_t n, struct pom_lease_holder *out) {
    *out = (struct pom_lease_holder){
        .id = "", .host = "an unknown machine", .user = "somebody", .since = "an unknown time"};
    out->root = n ? json_loadb(text, n, 0, NULL) : NULL;
    if (out->root)
        json_unpack(out->root, "{s?s,s?s,s?s,s?i,s?s}", "id", &out->id, "host", &out->host, "user", &out->user, "pid",
            &out->pid, "since", &out->since);
}

void pom_lease_holder_clean_up(struct pom_lease_holder *holder) {
    json_decref(holder->root);
    *holder = (struct pom_lease_holder){0};
}

char *pom_lease_holder_write(const struct pom_lease_holder *holder, unsigned renewals) {
    json_t *root = json_pack("{s:s,s:s,s:s,s:i,s:s,s:i}", "id", holder->id, "host", holder->host, "user", holder->user,
        "pid", holder->pid, "since", holder->since, "renewals", (int)renewals);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return text;
}
