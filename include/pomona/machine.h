/* How much of this machine is ours. */
#ifndef POMONA_MACHINE_H
#define POMONA_MACHINE_H

#include <pomona/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Threads to run: the CPUs of the affinity mask, at most the cgroup's quota rounded up, at least 1. Thread-safe. */
POM_API int pom_cpu_count(void);

#ifdef __cplusplus
}
#endif
#endif
