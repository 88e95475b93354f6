#include "doctor.h"

#include "store/examine.h"

#include "base/cpu.h"
#include "base/resources.h"
#include <pomona/model.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LEAST_FILES = 1024, LEAST_FREE_MIB = 1024, LEAST_MEMORY_MIB = 512 };

static const double mib = 1 << 20;

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void examine_cpu(const struct pom_examiner *examiner) {
    enum pom_isa isa;
    struct pom_message msg = {0};
    if (pom_cpu_isa(&isa, &msg) != POM_OK) {
        pom_examiner_tell(examiner, POM_FINDING_BAD, "cpu", "%s", msg.text);
        return;
    }
    const char *lowered = setting("POMONA_CPU");
    bool slow = isa == POM_ISA_REF;
    pom_examiner_tell(examiner, slow ? POM_FINDING_WARNING : POM_FINDING_GOOD, "cpu", "runs on %s%s%s%s",
        pom_isa_name(isa), lowered ? ", as POMONA_CPU says" : "",
        slow && !lowered ? ": portable code, a tenth as fast as with AVX2 or NEON" : "",
        pom_precision_offered(POM_PRECISION_BF16) ? "; precisions: exact, int8, bf16" : "; precisions: exact, int8");
}

static void examine_threads(const struct pom_examiner *examiner) {
    int ours = pom_cpu_count();
    long all = sysconf(_SC_NPROCESSORS_ONLN);
    if (all > ours)
        pom_examiner_tell(examiner, POM_FINDING_NOTE, "threads",
            "%d of this machine's %ld CPUs are this process's, by its affinity or cgroup", ours, all);
    else
        pom_examiner_tell(examiner, POM_FINDING_GOOD, "threads", "%d, one for each CPU", ours);
}

static void examine_memory(const struct pom_examiner *examiner) {
    double ours = (double)pom_memory_limit() / mib;
    double all = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / mib;
    bool little = ours < LEAST_MEMORY_MIB, limited = ours < all - 1;
    pom_examiner_tell(examiner, little ? POM_FINDING_WARNING : POM_FINDING_GOOD, "memory",
        "%.0f MiB%s; a job takes half of that unless --memory says otherwise%s", ours,
        limited ? " by the cgroup's limit" : "", little ? ": that is little for large networks" : "");
}

static void examine_files(const struct pom_examiner *examiner) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    bool few = limit.rlim_cur < LEAST_FILES;
    pom_examiner_tell(examiner, few ? POM_FINDING_WARNING : POM_FINDING_GOOD, "files", "%llu may be open at once%s",
        (unsigned long long)limit.rlim_cur,
        few ? ": few for the hundreds of connections that a bucket is read over; raise it with ulimit -n 4096" : "");
}

/* Where the state of jobs on buckets is kept. */
static void examine_disk(const struct pom_examiner *examiner) {
    const char *state = setting("XDG_STATE_HOME"), *home = setting("HOME"), *folder = state ? state : home;
    struct statvfs fs;
    if (!folder) {
        pom_examiner_tell(examiner, POM_FINDING_WARNING, "disk",
            "neither XDG_STATE_HOME nor HOME is set: jobs that write to a bucket have no place for unfinished files");
        return;
    }
    if (statvfs(folder, &fs) != 0 || access(folder, W_OK) != 0) {
        pom_examiner_tell(examiner, POM_FINDING_WARNING, "disk",
            "%.200s cannot be written: jobs that write to a bucket keep unfinished files there; set XDG_STATE_HOME",
            folder);
        return;
    }
    double room = (double)fs.f_bavail * (double)fs.f_frsize / mib;
    pom_examiner_tell(examiner, room < LEAST_FREE_MIB ? POM_FINDING_WARNING : POM_FINDING_GOOD, "disk",
        "%.0f MiB free in %.200s, for unfinished files%s", room, folder,
        room < LEAST_FREE_MIB ? ": a row of features takes some 5 kB" : "");
}

static void examine_model(const struct pom_examiner *examiner) {
    static const char name[] = "efficientnet-lite0";
    struct pom_model *model = NULL;
    struct pom_message msg = {0};
    if (pom_model_load(name, NULL, &model, &msg) == POM_OK)
        pom_examiner_tell(examiner, POM_FINDING_GOOD, "model", "%s, the default network, is there: %zu MiB", name,
            pom_model_info(model)->weight_bytes >> 20);
    else
        pom_examiner_tell(examiner, POM_FINDING_WARNING, "model", "%s", msg.text);
    pom_model_free(model);
}

void pom_doctor_machine(const struct pom_examiner *examiner) {
    pom_examiner_tell(examiner, POM_FINDING_GOOD, "version", "pomona %s", pom_version());
    examine_cpu(examiner);
    examine_threads(examiner);
    examine_memory(examiner);
    examine_files(examiner);
    examine_disk(examiner);
    examine_model(examiner);
    pom_store_examine_network(examiner);
}
