/* Time taken by kinds of work, added up by the threads that do it. Private to the room. */
#ifndef POM_JOB_WORK_H
#define POM_JOB_WORK_H

#include "job/features_job.h"
#include <stdatomic.h>
#include <time.h>

struct pom_work_clock {
    _Atomic uint64_t wall_ns, cpu_ns;
};

/* The moment at which something began. */
struct pom_lap {
    clockid_t cpu; /* of the thread, or of the whole process */
    uint64_t wall_ns, cpu_ns;
};

struct pom_lap pom_lap_begin(void);         /* the calling thread's work */
struct pom_lap pom_lap_begin_process(void); /* work of all threads, while nothing else is done */

/* Adds the time since *lap, where the next lap begins. */
void pom_lap_end(struct pom_lap *lap, struct pom_work_clock *clock);

/* CPU time of the whole process, all threads. */
uint64_t pom_process_cpu_ns(void);

#endif
