/* Lists a location and reads every object of it, as the job does but with nothing behind: how fast the store is. Prints
 * one line of JSON. usage: bucketbench URI [list|read|apart] [IN_FLIGHT]
 * apart: reads when all is listed, and tells of the reading alone, as it is measured of other clients. */
#include "base/resources.h"
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct bench {
    struct pom_store *store;
    bool reads, apart;
    int most;                  /* reads under way */
    struct one *first, **last; /* those that wait for the end of the listing */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int under_way;
    uint64_t listed, objects, bytes, failed, first_ns;
    struct pom_message failure;
};

struct one {
    struct pom_store_read read;
    struct bench *bench;
    struct one *next;
    char text[];
};

static void on_read(struct pom_store_read *read) {
    struct one *one = (struct one *)read;
    struct bench *bench = one->bench;
    pthread_mutex_lock(&bench->mutex);
    if (read->status == POM_OK)
        bench->objects++;
    else if (bench->failed++ == 0)
        bench->failure = read->message;
    bench->bytes += read->bytes.size;
    if (!bench->first_ns)
        bench->first_ns = pom_now_ns();
    if (--bench->under_way == bench->most / 2 || bench->under_way == 0)
        pthread_cond_signal(&bench->changed);
    pthread_mutex_unlock(&bench->mutex);
    pom_buffer_clean_up(&read->bytes);
    free(one);
}

static void start_read(struct bench *bench, struct one *one) {
    pthread_mutex_lock(&bench->mutex);
    while (bench->under_way >= bench->most)
        pthread_cond_wait(&bench->changed, &bench->mutex);
    bench->under_way++;
    pthread_mutex_unlock(&bench->mutex);
    pom_store_read_start(bench->store, &one->read);
}

static enum pom_status visit(void *user, const struct pom_store_entry *entry, struct pom_message *msg) {
    struct bench *bench = user;
    bench->listed++;
    if (!bench->reads)
        return POM_OK;
    size_t path = strlen(entry->path) + 1, version = strlen(entry->version) + 1;
    struct one *one = calloc(1, sizeof *one + path + version);
    if (!one)
        return pom_fail_memory(msg, entry->path);
    one->bench = bench;
    one->read.entry.path = memcpy(one->text, entry->path, path);
    one->read.entry.version = memcpy(one->text + path, entry->version, version);
    one->read.entry.size = entry->size;
    one->read.max_bytes = (size_t)entry->size;
    one->read.done = on_read;
    if (bench->apart) {
        *bench->last = one;
        bench->last = &one->next;
    } else {
        start_read(bench, one);
    }
    return POM_OK;
}

static enum pom_status refuse(void *user, const char *path, const char *cause, struct pom_message *msg) {
    (void)user;
    return pom_fail(msg, POM_ERR_IO, "%s: %s", path, cause);
}

/* The moment at which something began, and the CPU time by then. */
struct moment {
    uint64_t wall_ns;
    double cpu_s;
};

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

static struct moment now(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (struct moment){pom_now_ns(), seconds(usage.ru_utime) + seconds(usage.ru_stime)};
}

static void tell(const struct bench *bench, const struct moment *start) {
    const struct moment end = now();
    double wall = (double)(end.wall_ns - start->wall_ns) * 1e-9, cpu = end.cpu_s - start->cpu_s;
    uint64_t n = bench->reads ? bench->objects : bench->listed;
    printf("{\"listed\": %llu, \"objects\": %llu, \"failed\": %llu, \"bytes\": %llu, \"wall_s\": %.3f, ",
        (unsigned long long)bench->listed, (unsigned long long)bench->objects, (unsigned long long)bench->failed,
        (unsigned long long)bench->bytes, wall);
    printf("\"objects_s\": %.0f, \"cpu_us\": %.1f, \"requests\": %llu, \"first_s\": %.3f, \"rss_mb\": %zu}\n",
        (double)n / wall, cpu * 1e6 / (double)(n ? n : 1), (unsigned long long)pom_store_requests(bench->store),
        bench->first_ns ? (double)(bench->first_ns - start->wall_ns) * 1e-9 : 0, pom_peak_memory() >> 20);
    if (bench->failed)
        fprintf(stderr, "%s\n", bench->failure.text);
}

static void read_listed(struct bench *bench) {
    for (struct one *one = bench->first, *next; one; one = next) {
        next = one->next;
        start_read(bench, one);
    }
}

static void wait_for_reads(struct bench *bench) {
    pthread_mutex_lock(&bench->mutex);
    while (bench->under_way > 0)
        pthread_cond_wait(&bench->changed, &bench->mutex);
    pthread_mutex_unlock(&bench->mutex);
}

int main(int argc, char **argv) {
    struct bench bench = {.reads = argc < 3 || strcmp(argv[2], "list") != 0,
        .apart = argc > 2 && strcmp(argv[2], "apart") == 0,
        .most = argc > 3 ? atoi(argv[3]) : 2048, /* NOLINT(cert-err34-c): a tool of ours */
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER};
    const struct pom_store_visitor visitor = {visit, refuse, &bench};
    struct pom_message msg = {0};
    struct moment start = now();
    bench.last = &bench.first;
    enum pom_status status = argc > 1 ? pom_store_open(argv[1], false, NULL, &bench.store, &msg)
                                      : pom_fail(&msg, POM_ERR_ARGUMENT, "no URI");
    if (status == POM_OK)
        status = pom_store_list(bench.store, &visitor, &msg);
    if (bench.apart)
        start = now();
    read_listed(&bench);
    wait_for_reads(&bench);
    if (status == POM_OK)
        tell(&bench, &start);
    else
        fprintf(stderr, "%s\n", msg.text);
    pom_store_close(bench.store);
    return status == POM_OK && !bench.failed ? 0 : 1;
}
