#include "base/resources.h"

#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CGROUP_PATH_BYTES = 4096 };

/* The first line of base + folder + name, in out; false where there is none. */
static bool read_line(const char *base, const char *folder, const char *name, char *out, size_t size) {
    char path[2 * CGROUP_PATH_BYTES];
    if (snprintf(path, sizeof path, "%s%s/%s", base, folder, name) >= (int)sizeof path)
        return false;
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool got = fgets(out, (int)size, file) != NULL;
    fclose(file);
    return got;
}

/* Whether a list with commas, up to the colon, names the controller: "cpu" is not "cpuset". */
static bool is_listed(const char *names, const char *controller) {
    size_t n = strlen(controller);
    for (size_t length; *names && *names != ':'; names += length + (names[length] == ',')) {
        length = strcspn(names, ",:");
        if (length == n && strncmp(names, controller, n) == 0)
            return true;
    }
    return false;
}

/* The process's folder in the unified hierarchy ("0::/..."), or of a v1 controller ("4:cpu,cpuacct:/..."). */
static bool own_cgroup(const char *controller, char folder[CGROUP_PATH_BYTES]) {
    char line[CGROUP_PATH_BYTES];
    bool found = false;
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
        if (!path)
            continue;
        found = controller ? is_listed(names + 1, controller) : path == names + 1;
        path++;
        path[strcspn(path, "\n")] = '\0';
        snprintf(folder, CGROUP_PATH_BYTES, "%s", strcmp(path, "/") == 0 ? "" : path);
    }
    if (file)
        fclose(file);
    return found;
}

static double least(double a, double b) {
    return a < b ? a : b;
}

/* The tightest of a limit along the path from the process's cgroup to the root, as a parent's limit binds too. */
static double tightest(
    const char *base, const char *controller, double (*limit)(const char *base, const char *folder)) {
    char folder[CGROUP_PATH_BYTES];
    if (!own_cgroup(controller, folder))
        return INFINITY;
    double value = limit(base, folder);
    for (char *slash = strrchr(folder, '/'); slash; slash = strrchr(folder, '/')) {
        *slash = '\0';
        value = least(value, limit(base, folder));
    }
    return value;
}

/* "QUOTA PERIOD" in microseconds, where QUOTA may be "max". */
static double quota_v2(const char *base, const char *folder) {
    char line[64], *end;
    if (!read_line(base, folder, "cpu.max", line, sizeof line))
        return INFINITY;
    double quota = strtod(line, &end), period = strtod(end, NULL);
    return quota > 0 && period > 0 ? quota / period : INFINITY;
}

static double quota_v1(const char *base, const char *folder) {
    char quota[64], period[64];
    if (!read_line(base, folder, "cpu.cfs_quota_us", quota, sizeof quota) ||
        !read_line(base, folder, "cpu.cfs_period_us", period, sizeof period))
        return INFINITY;
    double q = strtod(quota, NULL), p = strtod(period, NULL);
    return q > 0 && p > 0 ? q / p : INFINITY;
}

static double memory_file(const char *base, const char *folder, const char *name) {
    char line[64];
    double value = read_line(base, folder, name, line, sizeof line) ? strtod(line, NULL) : 0;
    return value > 0 ? value : INFINITY;
}

static double memory_v2(const char *base, const char *folder) {
    return memory_file(base, folder, "memory.max");
}

static double memory_v1(const char *base, const char *folder) {
    return memory_file(base, folder, "memory.limit_in_bytes");
}

int pom_cpu_count(void) {
    cpu_set_t set;
    double cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (double)sysconf(_SC_NPROCESSORS_ONLN);
    cpus = least(cpus, ceil(tightest("/sys/fs/cgroup", NULL, quota_v2)));
    cpus = least(cpus, ceil(tightest("/sys/fs/cgroup/cpu", "cpu", quota_v1)));
    return cpus < 1 ? 1 : (int)cpus;
}

size_t pom_memory_limit(void) {
    double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    bytes = least(bytes, tightest("/sys/fs/cgroup", NULL, memory_v2));
    bytes = least(bytes, tightest("/sys/fs/cgroup/memory", "memory", memory_v1));
    return (size_t)bytes;
}

/* Not ru_maxrss: that keeps what the parent held before exec, so a small job started from a large Python is large. */
size_t pom_peak_memory(void) {
    char line[256];
    unsigned long kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && kib == 0 && fgets(line, sizeof line, file))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtoul(line + 6, NULL, 10);
    if (file)
        fclose(file);
    return (size_t)kib * 1024;
}

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t pom_now_ns(void) {
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t pom_thread_ns(void) {
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}
