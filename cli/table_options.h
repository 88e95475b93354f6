/* Parsers of the options that several verbs have: how images are resized, how tables are written. */
#ifndef POM_CLI_TABLE_OPTIONS_H
#define POM_CLI_TABLE_OPTIONS_H

#include <pomona/status.h>

enum pom_status pom_option_format(const char *text, void *value, struct pom_message *msg);  /* [enum pom_format] */
enum pom_status pom_option_filter(const char *text, void *value, struct pom_message *msg);  /* [enum pom_filter] */
enum pom_status pom_option_vectors(const char *text, void *value, struct pom_message *msg); /* [bool] Spark's vectors */

#endif
