/* What the tiles of matrix products share: the lists of a tile's rows, and of the functions for every height. The
 * template has gemm_call and gemm_tiles(rows, vectors, call). */
#ifndef POM_NET_KERNELS_TEMPLATE_ROWS_H
#define POM_NET_KERNELS_TEMPLATE_ROWS_H

/* NOLINTBEGIN(bugprone-macro-parentheses): the arguments are numbers and names, some of them pasted */

/* Row r is read through a pointer that is shared by three rows: (r, pointer, rows from the pointer). */
#define GEMM_ROWS(X)                                                                                                   \
    X(0, p0, 0)                                                                                                        \
    X(1, p0, 1)                                                                                                        \
    X(2, p0, 2)                                                                                                        \
    X(3, p3, 0)                                                                                                        \
    X(4, p3, 1)                                                                                                        \
    X(5, p3, 2)                                                                                                        \
    X(6, p6, 0)                                                                                                        \
    X(7, p6, 1)                                                                                                        \
    X(8, p6, 2)                                                                                                        \
    X(9, p9, 0)                                                                                                        \
    X(10, p9, 1)                                                                                                       \
    X(11, p9, 2)                                                                                                       \
    X(12, p12, 0)                                                                                                      \
    X(13, p12, 1)

/* s applied to every accumulator of row r that the tile has. */
#define GEMM_ROW(r, S)                                                                                                 \
    if (rows > r) {                                                                                                    \
        S(r, 0)                                                                                                        \
        if (vectors > 1) {                                                                                             \
            S(r, 1)                                                                                                    \
        }                                                                                                              \
        if (vectors > 2) {                                                                                             \
            S(r, 2)                                                                                                    \
        }                                                                                                              \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

#define GEMM_DEFINE(rows, vectors)                                                                                     \
    static void gemm_##rows##_##vectors(const gemm_call *g) {                                                          \
        gemm_tiles(rows, vectors, g);                                                                                  \
    }

/* A family: the functions for 1..rows rows, and the list of them for pom_gemm_kernel.run. */
#define GEMM_DEFINE_1(vectors) GEMM_DEFINE(1, vectors)
#define GEMM_DEFINE_2(vectors) GEMM_DEFINE_1(vectors) GEMM_DEFINE(2, vectors)
#define GEMM_DEFINE_3(vectors) GEMM_DEFINE_2(vectors) GEMM_DEFINE(3, vectors)
#define GEMM_DEFINE_4(vectors) GEMM_DEFINE_3(vectors) GEMM_DEFINE(4, vectors)
#define GEMM_DEFINE_5(vectors) GEMM_DEFINE_4(vectors) GEMM_DEFINE(5, vectors)
#define GEMM_DEFINE_6(vectors) GEMM_DEFINE_5(vectors) GEMM_DEFINE(6, vectors)
#define GEMM_DEFINE_7(vectors) GEMM_DEFINE_6(vectors) GEMM_DEFINE(7, vectors)
#define GEMM_DEFINE_8(vectors) GEMM_DEFINE_7(vectors) GEMM_DEFINE(8, vectors)
#define GEMM_DEFINE_9(vectors) GEMM_DEFINE_8(vectors) GEMM_DEFINE(9, vectors)
#define GEMM_DEFINE_10(vectors) GEMM_DEFINE_9(vectors) GEMM_DEFINE(10, vectors)
#define GEMM_DEFINE_11(vectors) GEMM_DEFINE_10(vectors) GEMM_DEFINE(11, vectors)
#define GEMM_DEFINE_12(vectors) GEMM_DEFINE_11(vectors) GEMM_DEFINE(12, vectors)
#define GEMM_DEFINE_13(vectors) GEMM_DEFINE_12(vectors) GEMM_DEFINE(13, vectors)
#define GEMM_DEFINE_14(vectors) GEMM_DEFINE_13(vectors) GEMM_DEFINE(14, vectors)

#define GEMM_LIST_1(vectors) NULL, gemm_1_##vectors
#define GEMM_LIST_2(vectors) GEMM_LIST_1(vectors), gemm_2_##vectors
#define GEMM_LIST_3(vectors) GEMM_LIST_2(vectors), gemm_3_##vectors
#define GEMM_LIST_4(vectors) GEMM_LIST_3(vectors), gemm_4_##vectors
#define GEMM_LIST_5(vectors) GEMM_LIST_4(vectors), gemm_5_##vectors
#define GEMM_LIST_6(vectors) GEMM_LIST_5(vectors), gemm_6_##vectors
#define GEMM_LIST_7(vectors) GEMM_LIST_6(vectors), gemm_7_##vectors
#define GEMM_LIST_8(vectors) GEMM_LIST_7(vectors), gemm_8_##vectors
#define GEMM_LIST_9(vectors) GEMM_LIST_8(vectors), gemm_9_##vectors
#define GEMM_LIST_10(vectors) GEMM_LIST_9(vectors), gemm_10_##vectors
#define GEMM_LIST_11(vectors) GEMM_LIST_10(vectors), gemm_11_##vectors
#define GEMM_LIST_12(vectors) GEMM_LIST_11(vectors), gemm_12_##vectors
#define GEMM_LIST_13(vectors) GEMM_LIST_12(vectors), gemm_13_##vectors
#define GEMM_LIST_14(vectors) GEMM_LIST_13(vectors), gemm_14_##vectors

#endif
