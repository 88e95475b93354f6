/* Where clouds keep data and machines, by the names of their regions. */
#ifndef POM_STORE_REGION_H
#define POM_STORE_REGION_H

#include "base/buffer.h"
#include "base/status.h"
#include <stdatomic.h>
#include <stdbool.h>

/* Whether the region of AWS or Google Cloud, in any case of letters, lies in member states of the European Union.
 * Regions named for Europe that do not, London and Zurich and Google's pairs with them, are not; nor is any other name.
 */
bool pom_region_is_in_eu(const char *region);

/* The region of the machine that we run on, as its metadata service tells: EC2's (version 2), Google's; "" where there
 * is none, or it is not asked (AWS_EC2_METADATA_DISABLED, NO_GCE_CHECK). Takes a second or two where nothing answers.
 */
enum pom_status pom_machine_region(const atomic_bool *cancel, struct pom_buffer *out, struct pom_message *msg);

#endif
