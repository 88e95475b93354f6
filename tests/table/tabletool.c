/* Makes and reads tables for the Python tests beside it.
 *   tabletool make OUT ROWS WIDTH list|spark   path, label, features (a formula that the tests repeat), and two
 * metadata entries tabletool cat TABLE list|double            path, label and features as JSON Lines on standard output
 *   tabletool time TABLE                       reads path, label and features, and prints their number */
#include "table/table.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const struct pom_message *msg) {
    fprintf(stderr, "tabletool: %s\n", msg->text);
    return 1;
}

/* Values with short and long decimals, signs, zeros and small magnitudes. */
static float value_of(uint32_t row, uint32_t i) {
    uint32_t h = (row * 2654435761U) ^ (i * 2246822519U);
    h ^= h >> 15;
    h *= 2654435769U;
    return h % 4 == 0 ? 0.0F : ((float)(h >> 8) - 8388608.0F) / 1048576.0F;
}

static int make(const char *path, uint32_t rows, uint32_t width, bool spark) {
    struct pom_message msg;
    enum pom_format format;
    struct pom_table_writer *writer;
    const struct pom_column columns[] = {{"path", POM_COLUMN_STRING}, {"label", POM_COLUMN_STRING},
        {"features", spark ? POM_COLUMN_SPARK_VECTOR : POM_COLUMN_FLOAT_LIST}};
    if (pom_format_of_path(path, &format, &msg) != POM_OK ||
        pom_table_create(path, format, columns, 3, &writer, &msg) != POM_OK)
        return fail(&msg);
    float *values = malloc((width + 1) * sizeof *values);
    enum pom_status status = values ? POM_OK : POM_ERR_MEMORY;
    for (uint32_t row = 0; row < rows && status == POM_OK; row++) {
        char name[64], label[64];
        snprintf(name, sizeof name, "s3://bucket/\xC3\xA4pfel/%06" PRIu32 ".jpg", row);
        snprintf(label, sizeof label, "Apple \"%" PRIu32 "\"", row % 67);
        for (uint32_t i = 0; i < width; i++)
            values[i] = value_of(row, i);
        const struct pom_cell cells[] = {
            {.text = {name, strlen(name)}}, {.text = {label, strlen(label)}}, {.floats = {values, width}}};
        status = pom_table_write(writer, cells, &msg);
    }
    free(values);
    if (status != POM_OK) {
        pom_table_abandon(writer);
        return fail(&msg);
    }
    const struct pom_metadata metadata[] = {{"pomona.model", "test"}, {"pomona.counts", "{\"rows\": 1}"}};
    return pom_table_finish(writer, metadata, 2, &msg) == POM_OK ? 0 : fail(&msg);
}

static void print_text(const char *data, size_t size) {
    putchar('"');
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '"' || data[i] == '\\')
            putchar('\\');
        if ((unsigned char)data[i] < 0x20)
            printf("\\u%04x", data[i]);
        else
            putchar(data[i]);
    }
    putchar('"');
}

static void print_row(const struct pom_cell *cells, bool wide) {
    printf("{\"path\":");
    print_text(cells[0].text.data, cells[0].text.size);
    printf(",\"label\":");
    print_text(cells[1].text.data, cells[1].text.size);
    printf(",\"features\":[");
    size_t n = wide ? cells[2].doubles.size : cells[2].floats.size;
    for (size_t i = 0; i < n; i++)
        printf("%s%.17g", i ? "," : "", wide ? cells[2].doubles.data[i] : (double)cells[2].floats.data[i]);
    printf("]}\n");
}

static int read_all(const char *path, bool wide, bool print) {
    struct pom_message msg;
    struct pom_table_reader *reader;
    const struct pom_column wanted[] = {{"path", POM_COLUMN_STRING}, {"label", POM_COLUMN_STRING},
        {"features", wide ? POM_COLUMN_DOUBLE_LIST : POM_COLUMN_FLOAT_LIST}};
    if (pom_table_open(path, wanted, 3, &reader, &msg) != POM_OK)
        return fail(&msg);
    struct pom_cell cells[3];
    uint64_t rows = 0;
    bool done = false;
    enum pom_status status;
    while ((status = pom_table_read(reader, cells, &done, &msg)) == POM_OK && !done) {
        rows++;
        if (print)
            print_row(cells, wide);
    }
    pom_table_close(reader);
    if (status != POM_OK)
        return fail(&msg);
    if (!print)
        printf("%" PRIu64 " rows\n", rows);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 6 && strcmp(argv[1], "make") == 0)
        return make(argv[2], (uint32_t)strtoul(argv[3], NULL, 10), (uint32_t)strtoul(argv[4], NULL, 10),
            strcmp(argv[5], "spark") == 0);
    if (argc == 4 && strcmp(argv[1], "cat") == 0)
        return read_all(argv[2], strcmp(argv[3], "double") == 0, true);
    if (argc == 3 && strcmp(argv[1], "time") == 0)
        return read_all(argv[2], false, false);
    fprintf(stderr, "usage: tabletool make OUT ROWS WIDTH list|spark | cat TABLE list|double | time TABLE\n");
    return 1;
}
