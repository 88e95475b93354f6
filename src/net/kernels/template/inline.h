/* For what must disappear into its caller: vectors that cross a call, alone or in a struct, go through memory. */
#ifndef POM_NET_KERNELS_TEMPLATE_INLINE_H
#define POM_NET_KERNELS_TEMPLATE_INLINE_H

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#endif
