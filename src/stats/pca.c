/* A projection from moments, by the exact eigendecomposition. */
#include "stats/eigen.h"
#include "stats/moments.h"
#include "stats/projection.h"
#include <math.h>

/* scatter becomes the covariance of the (scaled) features. Returns the total variance. */
static double make_covariance(double *scatter, const double *std, size_t d, uint64_t rows, bool scaled) {
    double total = 0, divisor = (double)(rows - 1);
    for (size_t i = 0; i < d; i++) {
        for (size_t j = i; j < d; j++) {
            double *s = &scatter[i * d + j], scale = scaled ? std[i] * std[j] : 1;
            *s = scale > 0 ? *s / divisor / scale : 0;
        }
        total += scatter[i * d + i];
    }
    return total;
}

static enum pom_status add_components(struct pom_moments_view *view, const struct pom_pca_options *options, size_t most,
    struct pom_projection *p, struct pom_message *msg) {
    struct pom_eigen eigen;
    struct pom_eigen_choice choice = {options->k, most, options->variance};
    double total = make_covariance(view->scatter, p->std, p->d, p->rows, p->scaled);
    POM_TRY(pom_eigen_top(view->scatter, p->d, &choice, &eigen, msg));
    enum pom_status status = pom_projection_take(p, &eigen, total, msg);
    pom_eigen_clean_up(&eigen);
    return status;
}

static enum pom_status fit(struct pom_moments_view *view, const struct pom_pca_options *options, size_t most,
    struct pom_projection **out, struct pom_message *msg) {
    struct pom_projection *p;
    size_t d = view->mean.d;
    POM_TRY(pom_projection_new(d, view->mean.count, options, &p, msg));
    for (size_t j = 0; j < d; j++) {
        p->mean[j] = view->mean.mean[j];
        p->std[j] = sqrt(view->scatter[j * d + j] / (double)(p->rows - 1));
    }
    bool pca = options->k || options->variance > 0;
    enum pom_status status = pca ? add_components(view, options, most, p, msg) : POM_OK;
    if (status == POM_OK)
        *out = p;
    else
        pom_projection_free(p);
    return status;
}

enum pom_status pom_projection_fit(const struct pom_moments *moments, const struct pom_pca_options *options,
    struct pom_projection **out, struct pom_message *msg) {
    size_t most;
    POM_TRY(pom_pca_check(options, moments->mean.d, pom_moments_count(moments), &most, msg));
    struct pom_moments_view view = {0};
    POM_TRY(pom_moments_snapshot(moments, &view, msg));
    enum pom_status status = fit(&view, options, most, out, msg);
    pom_moments_view_clean_up(&view);
    return status;
}
