/* G g G' (winograd.h), in double, rounded once. Plain loops over filters side by side: compilers make vectors of them,
 * and double arithmetic in a fixed order gives the same bits with any. */
#include "net/kernels/table.h"
#include "net/kernels/winograd.h"

enum { TAPS = 3, IN = POM_WINOGRAD_IN, SIDE_BY_SIDE = 16 };

typedef double numbers[SIDE_BY_SIDE];

/* The row of G for a point: the window's polynomial at p, over the product of its distances to the other points. */
static void point_row(int point, double row[TAPS]) {
    const double a = (double)POM_WINOGRAD_A, b = (double)POM_WINOGRAD_B;
    const double points[IN - 1] = {0.0, a, -a, b, -b};
    if (point == IN - 1) {
        row[0] = row[1] = 0.0;
        row[2] = 1.0;
        return;
    }
    double p = points[point], product = 1.0;
    for (int i = 0; i < IN - 1; i++)
        if (i != point)
            product *= p - points[i];
    row[0] = 1.0 / product;
    row[1] = p / product;
    row[2] = p * p / product;
}

static void combine(const double row[TAPS], numbers *taps, size_t step, numbers out) {
    for (int i = 0; i < SIDE_BY_SIDE; i++)
        out[i] = row[0] * taps[0][i] + row[1] * taps[step][i] + row[2] * taps[2 * step][i];
}

/* n filters that lie `step` floats apart. */
static void transform(double rows[IN][TAPS], const float *weights, size_t step, int n, float *to, size_t next) {
    numbers taps[TAPS * TAPS] = {{0.0}}, along[TAPS][IN], sum;
    for (int i = 0; i < n; i++)
        for (int tap = 0; tap < TAPS * TAPS; tap++)
            taps[tap][i] = (double)weights[(size_t)i * step + (size_t)tap];
    for (int ky = 0; ky < TAPS; ky++)
        for (int x = 0; x < IN; x++)
            combine(rows[x], taps + (size_t)ky * TAPS, 1, along[ky][x]);
    for (int y = 0; y < IN; y++)
        for (int x = 0; x < IN; x++, to += next) {
            combine(rows[y], &along[0][x], IN, sum);
            for (int i = 0; i < n; i++)
                to[i] = (float)sum[i];
        }
}

void pom_winograd_weights(const float *weights, size_t step, int filters, int channels, float *to) {
    double rows[IN][TAPS];
    for (int point = 0; point < IN; point++)
        point_row(point, rows[point]);
    size_t next = (size_t)channels * (size_t)filters;
    for (int c = 0; c < channels; c++, weights += TAPS * TAPS)
        for (int j = 0, n; j < filters; j += n, to += n) {
            n = filters - j < SIDE_BY_SIDE ? filters - j : SIDE_BY_SIDE;
            transform(rows, weights + (size_t)j * step, step, n, to, next);
        }
}
