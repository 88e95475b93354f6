/* Status, memory, buffer, hash, files, CPU path. */
#include "base/buffer.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/status.h"

#include "cmocka_include.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void messages_say_what_and_where(void **state) {
    (void)state;
    struct pom_message msg;
    assert_int_equal(pom_fail(&msg, POM_ERR_FORMAT, "bad %s", "thing"), POM_ERR_FORMAT);
    assert_string_equal(msg.text, "bad thing");
    assert_int_equal(pom_fail_in(&msg, POM_ERR_FORMAT, "file %d", 7), POM_ERR_FORMAT);
    assert_string_equal(msg.text, "file 7: bad thing");
    errno = ENOENT;
    assert_int_equal(pom_fail_errno(&msg, POM_ERR_IO, "cannot open x"), POM_ERR_IO);
    assert_string_equal(msg.text, "cannot open x: No such file or directory");
    assert_int_equal(pom_fail(NULL, POM_ERR_IO, "no one listens"), POM_ERR_IO);
    assert_string_equal(pom_status_name(POM_ERR_LIMIT), "over a limit");
    assert_string_equal(pom_status_name((enum pom_status)99), "unknown status");
}

static void long_messages_are_cut_not_overrun(void **state) {
    (void)state;
    char many[2000];
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    struct pom_message msg;
    (void)pom_fail(&msg, POM_ERR_IO, "%s", many);
    assert_int_equal(strlen(msg.text), sizeof msg.text - 1);
    (void)pom_fail_in(&msg, POM_ERR_IO, "%s", many);
    assert_true(strlen(msg.text) < sizeof msg.text);
    (void)pom_fail_errno(&msg, POM_ERR_IO, "%s", many);
    assert_true(strlen(msg.text) < sizeof msg.text);
}

static void sizes_that_overflow_are_refused(void **state) {
    (void)state;
    size_t out;
    assert_false(pom_size_mul(SIZE_MAX, 2, &out));
    assert_null(pom_alloc_aligned(SIZE_MAX / 2, 4));
    assert_null(pom_alloc_aligned(SIZE_MAX, 1));
    struct pom_arena arena = {0};
    assert_null(pom_arena_alloc(&arena, SIZE_MAX, 16));
    pom_arena_clean_up(&arena);
    void *data = NULL;
    size_t capacity = 0;
    assert_false(pom_grow(&data, &capacity, SIZE_MAX / 2, 16));
    assert_null(data);
    struct pom_buffer buffer = {0};
    assert_false(pom_buffer_reserve(&buffer, SIZE_MAX));
}

static void aligned_memory_is_aligned(void **state) {
    (void)state;
    for (size_t n = 0; n < 200; n += 13) {
        void *p = pom_alloc_aligned(n, 3);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % POM_ALIGN, 0);
        free(p);
    }
}

static void arena_keeps_all_its_pieces(void **state) {
    (void)state;
    struct pom_arena arena = {0};
    char *names[500];
    for (int i = 0; i < 500; i++) {
        char text[600];
        snprintf(text, sizeof text, "%0*d", 1 + i, i);
        names[i] = pom_arena_strdup(&arena, text);
        assert_non_null(names[i]);
    }
    for (int i = 0; i < 500; i++) {
        assert_int_equal(strlen(names[i]), i < 100 ? (size_t)(1 + i) : (size_t)(1 + i));
        assert_int_equal(atoi(names[i]), i);
    }
    unsigned char *big = pom_arena_alloc(&arena, 1 << 20, 1);
    assert_non_null(big);
    assert_int_equal(big[0] | big[(1 << 20) - 1], 0);
    pom_arena_clean_up(&arena);
}

static void buffer_grows_and_stays_terminated(void **state) {
    (void)state;
    struct pom_buffer buffer = {0};
    for (int i = 0; i < 1000; i++)
        assert_true(pom_buffer_printf(&buffer, "%d,", i));
    assert_int_equal(strlen(buffer.data), buffer.size);
    assert_memory_equal(buffer.data + buffer.size - 8, "998,999,", 8);
    pom_buffer_clean_up(&buffer);
    assert_null(buffer.data);
}

static void digests_are_the_published_ones(void **state) {
    (void)state;
    char sha[POM_SHA256_HEX], md5[POM_MD5_HEX]; /* FIPS 180-2 and RFC 1321 test vectors */
    assert_int_equal(pom_sha256("abc", 3, sha, NULL), POM_OK);
    assert_string_equal(sha, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(pom_md5("abc", 3, md5, NULL), POM_OK);
    assert_string_equal(md5, "900150983cd24fb0d6963f7d28e17f72");
}

static void files_are_written_whole_and_read_back(void **state) {
    (void)state;
    char root[] = "/tmp/pomona-base-XXXXXX";
    assert_non_null(mkdtemp(root));
    char *folder = pom_path_join(root, "a/b"), *path = pom_path_join(folder, "file");
    struct pom_message msg;
    assert_int_equal(pom_make_folders(folder, &msg), POM_OK);
    assert_int_equal(pom_make_folders(folder, &msg), POM_OK);
    assert_int_equal(pom_file_write(path, "one", 3, &msg), POM_OK);
    assert_int_equal(pom_file_write(path, "three", 5, &msg), POM_OK);
    struct pom_buffer buffer = {0};
    assert_int_equal(pom_file_read(path, 100, &buffer, &msg), POM_OK);
    assert_string_equal(buffer.data, "three");
    assert_int_equal(pom_file_read(path, 4, &buffer, &msg), POM_ERR_LIMIT);
    struct pom_map map;
    assert_int_equal(pom_file_map(path, &map, &msg), POM_OK);
    assert_int_equal(map.size, 5);
    pom_file_unmap(&map);
    assert_int_equal(pom_file_map(folder, &map, &msg), POM_ERR_IO);
    assert_int_equal(pom_file_read("/nonexistent/x", 4, &buffer, &msg), POM_ERR_NOT_FOUND);
    assert_non_null(strstr(msg.text, "/nonexistent/x"));
    assert_int_equal(pom_make_folders(path, &msg), POM_ERR_IO);
    pom_buffer_clean_up(&buffer);
    unlink(path);
    rmdir(folder);
    free(folder);
    free(path);
}

static void the_cpu_path_can_only_be_lowered(void **state) {
    (void)state;
    enum pom_isa best, isa;
    struct pom_message msg;
    unsetenv("POMONA_CPU");
    assert_int_equal(pom_cpu_isa(&best, &msg), POM_OK);
    setenv("POMONA_CPU", "ref", 1);
    assert_int_equal(pom_cpu_isa(&isa, &msg), POM_OK);
    assert_int_equal(isa, POM_ISA_REF);
    setenv("POMONA_CPU", best >= POM_ISA_NEON ? "avx2" : "neon", 1);
    assert_int_equal(pom_cpu_isa(&isa, &msg), POM_ERR_ARGUMENT);
    setenv("POMONA_CPU", "quantum", 1);
    assert_int_equal(pom_cpu_isa(&isa, &msg), POM_ERR_ARGUMENT);
    assert_non_null(strstr(msg.text, "quantum"));
    unsetenv("POMONA_CPU");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_say_what_and_where),
        cmocka_unit_test(long_messages_are_cut_not_overrun),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(aligned_memory_is_aligned),
        cmocka_unit_test(arena_keeps_all_its_pieces),
        cmocka_unit_test(buffer_grows_and_stays_terminated),
        cmocka_unit_test(digests_are_the_published_ones),
        cmocka_unit_test(files_are_written_whole_and_read_back),
        cmocka_unit_test(the_cpu_path_can_only_be_lowered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
