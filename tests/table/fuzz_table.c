/* Any bytes as a table: read to the end or an error. What they begin with tells the format. For coverage inside carquet
 * too, build it with CC=clang-16 CARQUET_CFLAGS=-fsanitize=address,fuzzer-no-link tools/build_carquet.sh PREFIX. */
#include "table/table.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *suffix_of(const uint8_t *data, size_t size) {
    if (size >= 4 && memcmp(data, "PAR1", 4) == 0)
        return "parquet";
    return size > 0 && data[0] == '{' ? "json" : "csv";
}

static void read_as(const char *path, enum pom_column_type features, enum pom_column_type count) {
    const struct pom_column wanted[] = {{"path", POM_COLUMN_STRING}, {"features", features}, {"count", count}};
    struct pom_message msg;
    struct pom_table_reader *reader;
    struct pom_cell cells[3];
    bool done = false;
    for (int n = 1; n <= 3; n++) {
        if (pom_table_open(path, wanted, n, &reader, &msg) != POM_OK)
            continue;
        pom_table_metadata(reader, "pomona.model");
        for (int rows = 0; rows < 100000 && pom_table_read(reader, cells, &done, &msg) == POM_OK && !done;)
            rows++;
        pom_table_close(reader);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/pomona-fuzz-%ld.%s", (long)getpid(), suffix_of(data, size));
    FILE *file = fopen(path, "wb");
    if (!file)
        return 0;
    fwrite(data, 1, size, file);
    fclose(file);
    read_as(path, POM_COLUMN_FLOAT_LIST, POM_COLUMN_INT64);
    read_as(path, POM_COLUMN_DOUBLE_LIST, POM_COLUMN_DOUBLE);
    unlink(path);
    return 0;
}
