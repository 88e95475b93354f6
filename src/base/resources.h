/* How much of this machine is ours: CPU affinity and the cgroup's limits (v2 and v1), not the host's figures. */
#ifndef POM_BASE_RESOURCES_H
#define POM_BASE_RESOURCES_H

#include <pomona/machine.h> /* pom_cpu_count */
#include <stddef.h>
#include <stdint.h>

/* Bytes of memory: the machine's, at most the cgroup's limit. */
size_t pom_memory_limit(void);

/* The process's peak resident set, bytes; 0 where there is no /proc. */
size_t pom_peak_memory(void);

/* Monotonic clock, nanoseconds. */
uint64_t pom_now_ns(void);

/* CPU time of the calling thread, nanoseconds. */
uint64_t pom_thread_ns(void);

#endif
