/* What control groups leave to this process, of version 2, of version 1, or where both are mounted. The files:
 * https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.max, cpu.max) and the kernel's pages on memory and CPU
 * bandwidth in version 1. A set of CPUs (cpuset) is not read here: the kernel takes it into the affinity mask. */
#ifndef POM_BASE_CGROUP_H
#define POM_BASE_CGROUP_H

/* INFINITY where there is no limit. */
struct pom_cgroup_limits {
    double cpus;   /* CPU seconds a second */
    double memory; /* bytes */
};

/* The tightest along the path from the process's group to the root of its tree, as a parent's limit binds too.
 * root: what /proc and /sys stand below; "" but in a test. */
void pom_cgroup_limits(const char *root, struct pom_cgroup_limits *out);

#endif
