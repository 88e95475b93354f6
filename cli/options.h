/* Options of a verb as a table: parsed into a struct of the verb's, and printed by --help. */
#ifndef POM_CLI_OPTIONS_H
#define POM_CLI_OPTIONS_H

#include <pomona/status.h>
#include <stddef.h>
#include <stdio.h>

/* Reads an option's argument into *value, which has the type that the parser says, of POM_OPTION_BYTES at most. A
 * switch gets text NULL, or what follows "=". */
typedef enum pom_status (*pom_option_parser)(const char *text, void *value, struct pom_message *msg);

enum { POM_OPTION_BYTES = 64 };

struct pom_option {
    const char *name;     /* "output" of --output; NULL ends the table */
    char letter;          /* 'o' of -o; 0: none */
    const char *argument; /* "DEST", for the help; NULL: a switch, also taken as --name=true and =false */
    const char *help;     /* what it does and its default; may have several lines */
    pom_option_parser parse;
    size_t offset; /* of the value within the verb's struct */
};

/* Parses argv[1..] by the table into values, which the caller filled with the defaults. Options and operands may be
 * mixed; argv is permuted so that the operands are last, the first of them at *first_operand. Strings stay argv's.
 * Messages name the option; one that does not exist brings a suggestion. */
enum pom_status pom_options_parse(
    const struct pom_option *table, int argc, char **argv, void *values, int *first_operand, struct pom_message *msg);

void pom_options_print(const struct pom_option *table, FILE *out);

/* Parsers. The value's type stands in brackets. */
enum pom_status pom_option_switch(
    const char *text, void *value, struct pom_message *msg); /* [bool] set to true; or true, false */
enum pom_status pom_option_text(const char *text, void *value, struct pom_message *msg);  /* [const char *] not empty */
enum pom_status pom_option_count(const char *text, void *value, struct pom_message *msg); /* [int] 1..INT_MAX */
enum pom_status pom_option_total(const char *text, void *value, struct pom_message *msg); /* [uint64_t] 1..INT64_MAX */
enum pom_status pom_option_bytes(
    const char *text, void *value, struct pom_message *msg); /* [size_t] 512M, 2GiB, 100000 */
enum pom_status pom_option_seconds(const char *text, void *value, struct pom_message *msg); /* [double] over 0 */

enum pom_status pom_option_cosine(const char *text, void *value, struct pom_message *msg); /* [double] over 0, to 1 */
enum pom_status pom_option_precision(const char *text, void *value, struct pom_message *msg); /* [enum pom_wish] */

/* Whole components ("50") or a share of the variance in (0,1) ("0.90", "90%"). */
struct pom_components {
    size_t k;
    double variance;
};
enum pom_status pom_option_components(
    const char *text, void *value, struct pom_message *msg); /* [struct pom_components] */

#endif
