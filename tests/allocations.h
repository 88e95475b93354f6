/* Counts Pomona's calls of the allocator, which the linker sends here (tests/meson.build: counted_allocations). Those
 * within shared libraries are not seen. Not for several threads at once. */
#ifndef POM_TESTS_ALLOCATIONS_H
#define POM_TESTS_ALLOCATIONS_H

extern int pom_allocations;

#endif
