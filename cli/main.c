#include <pomona/pomona.h>

#include <stdio.h>

int main(void) {
    printf("pomona %s\n", pom_version());
    return 0;
}
