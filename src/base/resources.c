#include "base/resources.h"

#include "base/cgroup.h"
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int pom_cpu_count(void) {
    struct pom_cgroup_limits limits;
    cpu_set_t set;
    double cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (double)sysconf(_SC_NPROCESSORS_ONLN);
    pom_cgroup_limits("", &limits);
    cpus = fmin(cpus, ceil(limits.cpus));
    return cpus < 1 ? 1 : (int)cpus;
}

size_t pom_memory_limit(void) {
    struct pom_cgroup_limits limits;
    double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    pom_cgroup_limits("", &limits);
    return (size_t)fmin(bytes, limits.memory);
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
