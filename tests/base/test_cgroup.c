/* Limits of control groups, read from a tree of files as Linux has them. tests/base/test_cgroup_real.py has real ones.
 */
#include "base/cgroup.h"
#include "base/file.h"

#include "cmocka_include.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIB (1024.0 * 1024 * 1024)

static char root[] = "/tmp/pomona-cgroup-XXXXXX";

static void write_file(const char *path, const char *text) {
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s", root, path);
    char *slash = strrchr(whole, '/');
    *slash = '\0';
    assert_int_equal(pom_make_folders(whole, NULL), POM_OK);
    *slash = '/';
    assert_int_equal(pom_file_write(whole, text, strlen(text), NULL), POM_OK);
}

static int begin(void **state) {
    (void)state;
    strcpy(root + strlen(root) - 6, "XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command); /* NOLINT(cert-env33-c): of a name that was made here */
}

static void expect(double cpus, double memory) {
    struct pom_cgroup_limits limits;
    pom_cgroup_limits(root, &limits);
    if (limits.cpus != cpus || limits.memory != memory)
        fail_msg("%g CPUs, %g bytes; wanted %g, %g", limits.cpus, limits.memory, cpus, memory);
}

static void nothing_is_no_limit(void **state) {
    (void)state;
    expect(INFINITY, INFINITY);
    write_file("proc/self/cgroup", "");
    expect(INFINITY, INFINITY);
    write_file("proc/self/cgroup", "0::/gone\nnot a line\n");
    expect(INFINITY, INFINITY);
}

static void version_2(void **state) {
    (void)state;
    write_file("proc/self/cgroup", "0::/job\n");
    write_file("sys/fs/cgroup/job/cpu.max", "150000 100000\n");
    write_file("sys/fs/cgroup/job/memory.max", "1073741824\n");
    expect(1.5, GIB);
    write_file("sys/fs/cgroup/job/cpu.max", "max 100000\n");
    write_file("sys/fs/cgroup/job/memory.max", "max\n");
    expect(INFINITY, INFINITY);
}

/* As systemd and Kubernetes nest them: the pod's limit is the smaller one of memory, the container's that of CPUs. */
static void the_tightest_of_nested_groups(void **state) {
    (void)state;
    write_file("proc/self/cgroup", "0::/kubepods.slice/pod 1.slice/container\n");
    write_file("sys/fs/cgroup/kubepods.slice/pod 1.slice/container/memory.max", "4294967296\n");
    write_file("sys/fs/cgroup/kubepods.slice/pod 1.slice/container/cpu.max", "50000 100000\n");
    write_file("sys/fs/cgroup/kubepods.slice/pod 1.slice/memory.max", "2147483648\n");
    write_file("sys/fs/cgroup/kubepods.slice/pod 1.slice/cpu.max", "400000 100000\n");
    write_file("sys/fs/cgroup/kubepods.slice/memory.max", "max\n");
    write_file("sys/fs/cgroup/kubepods.slice/cpu.max", "max 100000\n");
    expect(0.5, 2 * GIB);
    write_file("sys/fs/cgroup/kubepods.slice/memory.max", "1073741824\n");
    expect(0.5, GIB);
}

/* In a container with a namespace of its own, the root it sees is its own group. */
static void the_root_of_a_namespace(void **state) {
    (void)state;
    write_file("proc/self/cgroup", "0::/\n");
    write_file("sys/fs/cgroup/memory.max", "3221225472\n");
    write_file("sys/fs/cgroup/cpu.max", "200000 100000\n");
    expect(2, 3 * GIB);
}

/* The controllers' trees have paths of their own; "cpuset" comes before "cpu", with another one. */
static void version_1(void **state) {
    (void)state;
    write_file("proc/self/cgroup", "5:cpuset:/elsewhere\n4:cpuacct,cpu:/docker/a\n3:memory:/docker/b\n0::/docker/c\n");
    write_file("sys/fs/cgroup/cpu/docker/a/cpu.cfs_quota_us", "-1\n");
    write_file("sys/fs/cgroup/cpu/docker/a/cpu.cfs_period_us", "100000\n");
    write_file("sys/fs/cgroup/memory/docker/b/memory.limit_in_bytes", "9223372036854771712\n");
    write_file("sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "1073741824\n");
    expect(INFINITY, GIB);
    write_file("sys/fs/cgroup/cpu/docker/cpu.cfs_quota_us", "300000\n");
    write_file("sys/fs/cgroup/cpu/docker/cpu.cfs_period_us", "100000\n");
    expect(3, GIB);
    write_file("sys/fs/cgroup/cpu/docker/a/cpu.cfs_quota_us", "50000\n");
    expect(0.5, GIB);
}

/* A machine on the way from 1 to 2 mounts both. */
static void both_versions(void **state) {
    (void)state;
    write_file("proc/self/cgroup", "3:memory:/a\n0::/b\n");
    write_file("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "2147483648\n");
    write_file("sys/fs/cgroup/unified/b/memory.max", "1073741824\n");
    write_file("sys/fs/cgroup/unified/b/cpu.max", "100000 50000\n");
    expect(2, GIB);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_no_limit, begin, end),
        cmocka_unit_test_setup_teardown(version_2, begin, end),
        cmocka_unit_test_setup_teardown(the_tightest_of_nested_groups, begin, end),
        cmocka_unit_test_setup_teardown(the_root_of_a_namespace, begin, end),
        cmocka_unit_test_setup_teardown(version_1, begin, end),
        cmocka_unit_test_setup_teardown(both_versions, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
