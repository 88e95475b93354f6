/* Small photographs for tests. */
#ifndef POM_TESTS_JOB_PICTURES_H
#define POM_TESTS_JOB_PICTURES_H

/* A JPEG of 100x100 pixels, of another content for each seed. Ends the process where it cannot be written. */
void picture_write(const char *path, int seed);

#endif
