/* Any bytes as a file of settings: entries, all of them text, or an error. */
#include "base/toml.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pom_toml toml = {0};
    struct pom_message msg = {0};
    if (pom_toml_parse("fuzz", (const char *)data, size, &toml, &msg) != POM_OK && !*msg.text)
        abort();
    for (size_t i = 0; i < toml.n; i++) {
        const struct pom_toml_entry *entry = &toml.list[i];
        if (!*entry->name || strlen(entry->value) > size || pom_toml_find(&toml, entry->section, entry->name) != entry)
            abort();
    }
    pom_toml_clean_up(&toml);
    return 0;
}
