/* Winograd's F(4x4,3x3): 4x4 outputs of a 3x3 window from 6x6 inputs with 36 multiplications instead of 144 (Winograd
 * 1980; Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks"). Y = A'((G g G') o (B' d B))A at the
 * points 0, +-A, +-B and infinity. With A = 3/4 and B = 3/2 every constant below is exact in a float, and the error of
 * an output is a quarter of what the usual +-1 and +-2 give (docs/performance.md).
 *
 * One line of six, in this order on every path:
 *   inputs    e_a = fma(-B2, d2, d4)  o_a = fma(-B2, d1, d3)  e_b = fma(-A2, d2, d4)  o_b = fma(-A2, d1, d3)
 *             t0 = fma(A2_B2, d0, fma(-A2_PLUS_B2, d2, d4))   t5 = fma(A2_B2, d1, fma(-A2_PLUS_B2, d3, d5))
 *             t1, t2 = fma(+-A, o_a, e_a)                     t3, t4 = fma(+-B, o_b, e_b)
 *   products  s_a = m1 + m2  d_a = m1 - m2  s_b = m3 + m4  d_b = m3 - m4
 *             y0 = (m0 + s_a) + s_b                           y1 = fma(A, d_a, B * d_b)
 *             y2 = fma(A2, s_a, B2 * s_b)                     y3 = fma(A3, d_a, fma(B3, d_b, m5))
 * A tile is transformed down its columns first, then along its rows. */
#ifndef POM_NET_KERNELS_WINOGRAD_H
#define POM_NET_KERNELS_WINOGRAD_H

#define POM_WINOGRAD_A 0.75f
#define POM_WINOGRAD_A2 0.5625f
#define POM_WINOGRAD_A3 0.421875f
#define POM_WINOGRAD_B 1.5f
#define POM_WINOGRAD_B2 2.25f
#define POM_WINOGRAD_B3 3.375f
#define POM_WINOGRAD_A2_B2 1.265625f
#define POM_WINOGRAD_A2_PLUS_B2 2.8125f

/* G g G' for the channels [first, first + n) of out_c x in_c x 3 x 3 weights: to 36 points x n x out_c. */
void pom_winograd_weights(const float *weights, int in_c, int out_c, int first, int n, float *to);

#endif
