#include "job/choice.h"

#include "base/memory.h"
#include "job/sample.h"
#include <math.h>
#include <stdlib.h>

const char *pom_wish_name(enum pom_wish wish) {
    static const char *const names[POM_WISHES] = {
        [POM_WISH_EXACT] = "exact", [POM_WISH_FAST] = "fast", [POM_WISH_BF16] = "bf16", [POM_WISH_INT8] = "int8"};
    return names[wish];
}

enum { MAX_HALF = 64 /* images to calibrate with, and as many to check with */ };

struct trial {
    struct pom_job *job;
    struct pom_choice *choice;
    struct pom_sample sample;
    float *exact, *narrow; /* features of the images to check with */
    struct pom_buffer calibration;
};

/* One model at a time is held. */
static enum pom_status load(
    struct pom_job *job, enum pom_precision precision, const struct pom_buffer *calibration, struct pom_message *msg) {
    struct pom_model_options options = job->options->model_options;
    options.precision = precision;
    options.calibration = (struct pom_bytes){calibration->size ? calibration->data : NULL, calibration->size};
    pom_model_free(job->model);
    job->model = NULL;
    job->info = NULL;
    POM_TRY(pom_model_load(job->model_name, &options, &job->model, msg));
    job->info = pom_model_info(job->model);
    return POM_OK;
}

static enum pom_status continue_with(struct trial *trial, struct pom_message *msg) {
    enum pom_precision used = trial->choice->used;
    if (used == POM_PRECISION_EXACT)
        return POM_OK;
    enum pom_status status = load(trial->job, used, &trial->calibration, msg);
    if (status == POM_ERR_UNSUPPORTED || status == POM_ERR_FORMAT)
        return pom_fail_in(msg, status, "%s was begun in %s, and cannot be continued here; --fresh starts anew",
            trial->job->options->destination, pom_precision_name(used));
    return status;
}

static double cosine(const float *a, const float *b, size_t n) {
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (double)a[i] * b[i];
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
    }
    if (aa == 0 && bb == 0)
        return 1;
    double result = ab / sqrt(aa * bb);
    return isfinite(result) ? result : 0;
}

static void compare(const struct trial *trial, struct pom_trial *out) {
    size_t d = trial->job->info->features;
    int n = trial->sample.n_check;
    out->minimum = 1;
    for (int i = 0; i < n; i++) {
        double c = cosine(trial->exact + (size_t)i * d, trial->narrow + (size_t)i * d, d);
        out->mean += c;
        out->minimum = fmin(out->minimum, c);
    }
    out->mean /= n;
}

/* Features of the images to check with, by the model that is loaded. */
static enum pom_status infer(const struct trial *trial, float *features, struct pom_message *msg) {
    const struct pom_job *job = trial->job;
    size_t d = job->info->features, image = (size_t)job->info->width * (size_t)job->info->height * 3;
    struct pom_session *session = NULL;
    POM_TRY(pom_session_new(job->model, job->budget.batch, &session, msg));
    enum pom_status status = POM_OK;
    for (int i = 0, n; i < trial->sample.n_check && status == POM_OK; i += n) {
        int left = trial->sample.n_check - i;
        n = left < job->budget.batch ? left : job->budget.batch;
        status = pom_job_check(job, msg);
        if (status == POM_OK)
            status =
                pom_session_run(session, trial->sample.check + (size_t)i * image, n, features + (size_t)i * d, msg);
    }
    pom_session_free(session);
    return status;
}

/* Tries one precision; *taken where it is close enough. One that this network or CPU cannot run in is passed over. */
static enum pom_status try_precision(
    struct trial *trial, enum pom_precision precision, bool *taken, struct pom_message *msg) {
    struct pom_job *job = trial->job;
    const char *name = pom_precision_name(precision);
    struct pom_message why = {0};
    if (!pom_precision_offered(precision) && job->options->precision == POM_WISH_FAST)
        return POM_OK;
    enum pom_status status = load(job, precision, &trial->calibration, &why);
    if (status == POM_ERR_UNSUPPORTED) {
        pom_job_warn(job, "no %s: %s", name, why.text);
        return POM_OK;
    }
    if (status != POM_OK)
        return pom_fail(msg, status, "%s", why.text);
    POM_TRY(infer(trial, trial->narrow, msg));
    struct pom_trial *result = &trial->choice->trials[trial->choice->n_trials++];
    *result = (struct pom_trial){.precision = precision};
    compare(trial, result);
    *taken = result->mean >= job->min_cosine;
    if (!*taken)
        pom_job_warn(job,
            "no %s: the features of %d images have a mean cosine of %.6f to exact (least %.6f), under %.9g", name,
            trial->sample.n_check, result->mean, result->minimum, job->min_cosine);
    return POM_OK;
}

/* Leaves the calibration empty where the network cannot run in int8. */
static enum pom_status calibrate(struct trial *trial, struct pom_message *msg) {
    void *blob = NULL;
    size_t n = 0;
    struct pom_message why = {0};
    enum pom_status status =
        pom_model_calibrate(trial->job->model, trial->sample.calibrate, trial->sample.n_calibrate, &blob, &n, &why);
    if (status == POM_OK && !pom_buffer_append(&trial->calibration, blob, n))
        status = pom_fail_memory(&why, "the calibration");
    free(blob);
    if (status != POM_ERR_UNSUPPORTED)
        return status == POM_OK ? POM_OK : pom_fail(msg, status, "%s", why.text);
    if (trial->job->options->precision != POM_WISH_BF16)
        pom_job_warn(trial->job, "no %s: %s", pom_precision_name(POM_PRECISION_INT8), why.text);
    return POM_OK;
}

static enum pom_status choose(struct trial *trial, struct pom_message *msg) {
    struct pom_choice *choice = trial->choice;
    bool taken = false;
    enum pom_wish wish = trial->job->options->precision;
    POM_TRY(infer(trial, trial->exact, msg));
    POM_TRY(calibrate(trial, msg)); /* int8 needs it, bf16 comes closer by it */
    if (trial->calibration.size && wish != POM_WISH_BF16)
        POM_TRY(try_precision(trial, POM_PRECISION_INT8, &taken, msg));
    if (!taken && wish != POM_WISH_INT8)
        POM_TRY(try_precision(trial, POM_PRECISION_BF16, &taken, msg));
    if (!taken && (!trial->job->info || trial->job->info->precision != POM_PRECISION_EXACT))
        POM_TRY(load(trial->job, POM_PRECISION_EXACT, &trial->calibration, msg));
    choice->used = trial->job->info->precision;
    if (choice->used == POM_PRECISION_EXACT)
        pom_buffer_clean_up(&trial->calibration);
    return POM_OK;
}

/* As many images as fit in a quarter of what the network leaves of the memory. */
static int half_of_sample(const struct pom_job *job) {
    const struct pom_model_info *info = job->info;
    size_t room = (size_t)job->budget.threads * job->budget.image_bytes;
    size_t each = 2 * ((size_t)info->width * (size_t)info->height * 3 + info->features * sizeof(float));
    size_t fitting = room / each;
    return fitting < 1 ? 1 : fitting > MAX_HALF ? MAX_HALF : (int)fitting;
}

static enum pom_status measure(struct trial *trial, struct pom_message *msg) {
    struct pom_job *job = trial->job;
    struct pom_sample *sample = &trial->sample;
    POM_TRY(pom_sample_take(job, half_of_sample(job), sample, msg));
    if (sample->n_calibrate == 0) {
        if (sample->listed)
            pom_job_warn(
                job, "no fast precision: none of the first images can be read, so there is nothing to calibrate with");
        return POM_OK;
    }
    trial->exact = pom_alloc_aligned((size_t)sample->n_check * sizeof(float), job->info->features);
    trial->narrow = pom_alloc_aligned((size_t)sample->n_check * sizeof(float), job->info->features);
    if (!trial->exact || !trial->narrow)
        return pom_fail_memory(msg, "a sample's features");
    trial->choice->calibrated = sample->n_calibrate;
    trial->choice->checked = sample->n_check;
    return choose(trial, msg);
}

static enum pom_status make(struct trial *trial, struct pom_message *msg) {
    bool found;
    POM_TRY(pom_choice_read(trial->job->manifest, trial->choice, &trial->calibration, &found, msg));
    if (found)
        return continue_with(trial, msg);
    POM_TRY(measure(trial, msg));
    return pom_choice_write(trial->job->manifest, trial->choice, &trial->calibration, msg);
}

enum pom_status pom_choice_make(struct pom_job *job, struct pom_choice *out, struct pom_message *msg) {
    struct trial trial = {.job = job, .choice = out};
    struct pom_lap lap = pom_lap_begin_process();
    enum pom_status status = make(&trial, msg);
    pom_sample_clean_up(&trial.sample);
    free(trial.exact);
    free(trial.narrow);
    pom_buffer_clean_up(&trial.calibration);
    pom_lap_end(&lap, &job->count.work[POM_WORK_CALIBRATE]);
    return status == POM_OK ? pom_budget_plan(job, msg) : status;
}
