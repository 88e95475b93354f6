/* Work that several threads share. */
#ifndef POM_BASE_SHARE_H
#define POM_BASE_SHARE_H

/* Runs the parts 0..parts - 1, each once and in no order, on the calling thread and on as many others as there are CPUs
 * for; returns when all are done. Threads that cannot be had are done without. Starting them takes some 50 us. */
void pom_share(int parts, void (*run)(void *context, int part), void *context);

#endif
