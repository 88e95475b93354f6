/* An object copied in pieces is the object, whatever their order; the first failure is told, and nothing hangs. */
#include "base/file.h"
#include "store/pieces.h"

#include "cmocka_include.h"
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static const uint64_t whole = ((uint64_t)41 << 20) + 3;
static const char *const file = "test-pieces";

struct object {
    atomic_int reads;
    int failing; /* the read that fails; 0: none */
};

static uint8_t byte_at(uint64_t at) {
    return (uint8_t)(at * 2654435761U >> 20);
}

static enum pom_status read_piece(void *user, uint64_t at, size_t n, struct pom_buffer *out, struct pom_message *msg) {
    struct object *object = user;
    int read = atomic_fetch_add(&object->reads, 1) + 1;
    if (read == object->failing)
        return pom_fail(msg, POM_ERR_NETWORK, "read %d fails", read);
    if (!pom_buffer_reserve(out, n))
        return pom_fail_memory(msg, "a piece");
    for (size_t i = 0; i < n; i++)
        out->data[i] = (char)byte_at(at + i);
    out->size = n;
    return POM_OK;
}

static void pieces_make_the_object(void **state) {
    (void)state;
    const uint64_t sizes[] = {0, 1, (uint64_t)8 << 20, ((uint64_t)8 << 20) + 1, whole};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct object object = {0};
        struct pom_map map;
        assert_int_equal(pom_pieces_copy(sizes[s], read_piece, &object, file, NULL), POM_OK);
        assert_int_equal(pom_file_map(file, &map, NULL), POM_OK);
        assert_int_equal(map.size, sizes[s]);
        for (uint64_t i = 0; i < map.size; i++)
            if (map.data[i] != byte_at(i))
                fail_msg("byte %llu of %llu differs", (unsigned long long)i, (unsigned long long)sizes[s]);
        pom_file_unmap(&map);
    }
    unlink(file);
}

static void a_failure_ends_it(void **state) {
    (void)state;
    for (int failing = 1; failing <= 6; failing++) {
        struct object object = {.failing = failing};
        struct pom_message msg = {0};
        assert_int_equal(pom_pieces_copy(whole, read_piece, &object, file, &msg), POM_ERR_NETWORK);
        assert_non_null(strstr(msg.text, "fails"));
    }
    unlink(file);
    struct object object = {0};
    assert_int_equal(pom_pieces_copy(1, read_piece, &object, "no-folder/file", NULL), POM_ERR_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_make_the_object),
        cmocka_unit_test(a_failure_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
