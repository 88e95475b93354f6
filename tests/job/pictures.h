/* Small photographs for tests. */
#ifndef POM_TESTS_JOB_PICTURES_H
#define POM_TESTS_JOB_PICTURES_H

/* A JPEG of 60 to 100 pixels a side, of another content for each seed and of 15 sizes. Ends the process where it cannot
 * be written. */
void picture_write(const char *path, int seed);

#endif
