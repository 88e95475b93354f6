/* What Debian's static archives expect and an older glibc, or a shared library, does not offer. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* The archives are made for programs: code in them takes the address of stdin, stdout and stderr in a way that a shared
 * library cannot offer. tools/wheel_libraries.sh has them look here instead. */
FILE *pom_stdin, *pom_stdout, *pom_stderr;

__attribute__((constructor)) static void take_streams(void) {
    pom_stdin = stdin;
    pom_stdout = stdout;
    pom_stderr = stderr;
}

/* Of glibc 2.36; expat seeds its hashes with it. */
void arc4random_buf(void *buffer, size_t n_bytes);

void arc4random_buf(void *buffer, size_t n_bytes) {
    for (char *to = buffer; n_bytes > 0;) {
        ssize_t got = getrandom(to, n_bytes < 256 ? n_bytes : 256, 0);
        if (got > 0) {
            to += got;
            n_bytes -= (size_t)got;
        }
    }
}
