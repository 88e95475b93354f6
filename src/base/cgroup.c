#include "base/cgroup.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 4096 /* of a path */ };

/* A group: where its tree is mounted, and its path in it ("" is the root). */
struct group {
    char mount[MOST_BYTES], path[MOST_BYTES];
};

static bool read_line(const struct group *group, const char *file_name, char *out, size_t size) {
    char path[3 * MOST_BYTES];
    snprintf(path, sizeof path, "%s%s/%s", group->mount, group->path, file_name);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool got = fgets(out, (int)size, file) != NULL;
    fclose(file);
    return got;
}

/* The number in a file; INFINITY where there is no file, or no limit ("max", -1). */
static double read_limit(const struct group *group, const char *file_name) {
    char line[64];
    double value = read_line(group, file_name, line, sizeof line) ? strtod(line, NULL) : 0;
    return value > 0 ? value : INFINITY;
}

/* "QUOTA PERIOD" in microseconds, where QUOTA may be "max". */
static double cpus_v2(const struct group *group) {
    char line[64], *end;
    if (!read_line(group, "cpu.max", line, sizeof line))
        return INFINITY;
    double quota = strtod(line, &end), period = strtod(end, NULL);
    return quota > 0 && period > 0 ? quota / period : INFINITY;
}

static double cpus_v1(const struct group *group) {
    double quota = read_limit(group, "cpu.cfs_quota_us"), period = read_limit(group, "cpu.cfs_period_us");
    return isfinite(period) ? quota / period : INFINITY;
}

static double memory_v2(const struct group *group) {
    return read_limit(group, "memory.max");
}

static double memory_v1(const struct group *group) {
    return read_limit(group, "memory.limit_in_bytes");
}

static double no_limit(const struct group *group) {
    (void)group;
    return INFINITY;
}

static const struct tree {
    const char *mount;
    const char *controller; /* NULL: version 2, whose controllers share a tree */
    double (*cpus)(const struct group *group);
    double (*memory)(const struct group *group);
} trees[] = {
    {"/sys/fs/cgroup", NULL, cpus_v2, memory_v2},
    {"/sys/fs/cgroup/unified", NULL, cpus_v2, memory_v2}, /* beside those of version 1 */
    {"/sys/fs/cgroup/cpu", "cpu", cpus_v1, no_limit},
    {"/sys/fs/cgroup/memory", "memory", no_limit, memory_v1},
};

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

/* The path in a line of /proc/self/cgroup ("0::/a" of version 2, "4:cpu,cpuacct:/a" of 1), or NULL. */
static const char *path_in(char *line, const char *controller) {
    char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
    if (!path || !(controller ? is_listed(names + 1, controller) : path == names + 1))
        return NULL;
    path++;
    path[strcspn(path, "\n")] = '\0';
    return strcmp(path, "/") == 0 ? "" : path;
}

static bool find_own(const char *root, const struct tree *tree, struct group *out) {
    char name[MOST_BYTES], line[MOST_BYTES];
    const char *path = NULL;
    snprintf(name, sizeof name, "%s/proc/self/cgroup", root);
    FILE *file = fopen(name, "re");
    while (file && !path && fgets(line, sizeof line, file))
        path = path_in(line, tree->controller);
    if (file)
        fclose(file);
    if (!path)
        return false;
    snprintf(out->mount, sizeof out->mount, "%s%s", root, tree->mount);
    snprintf(out->path, sizeof out->path, "%s", path);
    return true;
}

static void tighten(const struct tree *tree, struct group *group, struct pom_cgroup_limits *limits) {
    for (bool up = true; up;) {
        limits->cpus = fmin(limits->cpus, tree->cpus(group));
        limits->memory = fmin(limits->memory, tree->memory(group));
        char *slash = strrchr(group->path, '/');
        up = slash != NULL;
        if (up)
            *slash = '\0';
    }
}

void pom_cgroup_limits(const char *root, struct pom_cgroup_limits *out) {
    struct group group;
    *out = (struct pom_cgroup_limits){INFINITY, INFINITY};
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++)
        if (find_own(root, &trees[i], &group))
            tighten(&trees[i], &group, out);
}
