#include "job/work.h"

#include "base/resources.h"

const char *pom_work_name(enum pom_work work) {
    static const char *const names[POM_WORK_COUNT] = {
        [POM_WORK_CALIBRATE] = "calibrate",
        [POM_WORK_LIST] = "list",
        [POM_WORK_READ] = "read",
        [POM_WORK_DECODE] = "decode",
        [POM_WORK_RESIZE] = "resize",
        [POM_WORK_INFER] = "infer",
        [POM_WORK_WRITE] = "write",
        [POM_WORK_STATISTICS] = "statistics",
    };
    return names[work];
}

static uint64_t cpu_ns(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t pom_process_cpu_ns(void) {
    return cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static struct pom_lap begin(clockid_t cpu) {
    return (struct pom_lap){cpu, pom_now_ns(), cpu_ns(cpu)};
}

struct pom_lap pom_lap_begin(void) {
    return begin(CLOCK_THREAD_CPUTIME_ID);
}

struct pom_lap pom_lap_begin_process(void) {
    return begin(CLOCK_PROCESS_CPUTIME_ID);
}

void pom_lap_end(struct pom_lap *lap, struct pom_work_clock *clock) {
    struct pom_lap now = begin(lap->cpu);
    atomic_fetch_add_explicit(&clock->wall_ns, now.wall_ns - lap->wall_ns, memory_order_relaxed);
    atomic_fetch_add_explicit(&clock->cpu_ns, now.cpu_ns - lap->cpu_ns, memory_order_relaxed);
    *lap = now;
}
