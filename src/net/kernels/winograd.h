/* Winograd's F(4x4,3x3): 4x4 outputs of a 3x3 window from 6x6 inputs with 36 multiplications instead of 144 (Winograd
 * 1980; Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks"). Y = A'((G g G') o (B' d B))A at the
 * points 0, +-A, +-B and infinity. With A = 3/4 and B = 3/2 every constant below is exact in a float, and the error of
 * an output is a quarter of what the usual +-1 and +-2 give (docs/performance.md).
 *
 * A tile at the lower or right edge has 3 or 2 lines or columns of outputs where no more are left (2 for one, too): it
 * takes the products at n + 2 of the six points alone, 0, +-A, for three outputs B, and infinity. The weights stay
 * those of the six; what they are too small or large by, the factor p + B (and p - B for two outputs) at the point p,
 * is in the transform of the inputs.
 *
 * One line, in this order on every path:
 *   4 outputs
 *   inputs    e_a = fma(-B2, d2, d4)  o_a = fma(-B2, d1, d3)  e_b = fma(-A2, d2, d4)  o_b = fma(-A2, d1, d3)
 *             t0 = fma(A2_B2, d0, fma(-A2_PLUS_B2, d2, d4))   t5 = fma(A2_B2, d1, fma(-A2_PLUS_B2, d3, d5))
 *             t1, t2 = fma(+-A, o_a, e_a)                     t3, t4 = fma(+-B, o_b, e_b)
 *   products  s_a = m1 + m2  d_a = m1 - m2  s_b = m3 + m4  d_b = m3 - m4
 *             y0 = (m0 + s_a) + s_b                           y1 = fma(A, d_a, B * d_b)
 *             y2 = fma(A2, s_a, B2 * s_b)                     y3 = fma(A3, d_a, fma(B3, d_b, m5))
 *   3 outputs
 *   inputs    o = fma(-A2, d1, d3)  u = fma(-B, d1, d2)  v = fma(-B, d2, d3)
 *             t0 = fma(B, o, -B2 * fma(-A2, d0, d2))          t5 = fma(-B, o, fma(-A2, d2, d4))
 *             t1 = (B + A) * fma(A, u, v)  t2 = (B - A) * fma(-A, u, v)  t3 = 2B * o
 *   products  y0 = (m0 + s_a) + m3  y1 = fma(A, d_a, B * m3)  y2 = fma(A2, s_a, fma(B2, m3, m5))
 *   2 outputs
 *   inputs    t0 = fma(A2_B2, d0, -B2 * d2)  t1, t2 = (A2 - B2) * fma(+-A, d1, d2)  t5 = fma(-A2, d1, d3)
 *   products  y0 = m0 + s_a                  y1 = fma(A, d_a, m5)
 * A tile is transformed down its columns first, then along its rows. */
#ifndef POM_NET_KERNELS_WINOGRAD_H
#define POM_NET_KERNELS_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

#define POM_WINOGRAD_A 0.75f
#define POM_WINOGRAD_A2 0.5625f
#define POM_WINOGRAD_A3 0.421875f
#define POM_WINOGRAD_B 1.5f
#define POM_WINOGRAD_B2 2.25f
#define POM_WINOGRAD_B3 3.375f
#define POM_WINOGRAD_A2_B2 1.265625f
#define POM_WINOGRAD_A2_PLUS_B2 2.8125f
#define POM_WINOGRAD_A2_MINUS_B2 (-1.6875f)
#define POM_WINOGRAD_B_PLUS_A 2.25f
#define POM_WINOGRAD_B_MINUS_A 0.75f
#define POM_WINOGRAD_2B 3.0f

/* Whether a line of so many outputs takes the product at point i of 0, A, -A, B, -B and infinity. */
static inline bool pom_winograd_takes(int outputs, int point) {
    return point <= outputs || point == 5;
}

/* G g G' for some channels, 3 x 3 each, of filters that lie `step` floats apart: to 36 points x channels x filters. */
void pom_winograd_weights(const float *weights, size_t step, int filters, int channels, float *to);

#endif
