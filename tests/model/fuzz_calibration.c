/* libFuzzer: any bytes at all as a calibration; behind a true digest too, which no fuzzer would find. */
#include "base/hash.h"
#include "model/calibration.h"

#include <stdlib.h>
#include <string.h>

enum { DIGITS = POM_SHA256_HEX - 1 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_it(const uint8_t *data, size_t size) {
    struct pom_calibration calibration = {0};
    void *again = NULL;
    size_t n = 0;
    if (pom_calibration_read((struct pom_bytes){data, size}, &calibration, NULL) == POM_OK) {
        if (pom_calibration_write(&calibration, &again, &n, NULL) != POM_OK || n != size || memcmp(again, data, n) != 0)
            abort();
        free(again);
    }
    pom_calibration_clean_up(&calibration);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char digest[POM_SHA256_HEX];
    uint8_t *signed_data = malloc(size + DIGITS);
    read_it(data, size);
    if (signed_data && pom_sha256(data, size, digest, NULL) == POM_OK) {
        if (size > 0)
            memcpy(signed_data, data, size);
        memcpy(signed_data + size, digest, DIGITS);
        read_it(signed_data, size + DIGITS);
    }
    free(signed_data);
    return 0;
}
