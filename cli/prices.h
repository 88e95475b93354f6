/* Dated prices of clouds, in a file that the user can replace: see share/pomona/prices.toml. */
#ifndef POM_CLI_PRICES_H
#define POM_CLI_PRICES_H

#include "base/toml.h"
#include <stdbool.h>

/* Zero-initialise; released by pom_prices_clean_up. */
struct pom_prices {
    char *file;
    const char *date, *source; /* in the file */
    struct pom_toml toml;
};

/* file: NULL for the one that is installed with the program. */
enum pom_status pom_prices_read(const char *file, struct pom_prices *out, struct pom_message *msg);
void pom_prices_clean_up(struct pom_prices *prices);

/* A price in dollars; POM_ERR_FORMAT where the file has none that is a number of 0 or more. */
enum pom_status pom_price(
    const struct pom_prices *prices, const char *section, const char *name, double *out, struct pom_message *msg);

/* A text, or NULL. */
const char *pom_price_text(const struct pom_prices *prices, const char *section, const char *name);

#endif
