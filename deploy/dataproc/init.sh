#!/bin/sh
# Dataproc's initialization action: puts the release that the cluster was made with on this node, in the Python that Spark runs.
# Takes its word from the metadata: pomona-release, the folder that publish.sh printed.
set -eu
release=$(/usr/share/google/get_metadata_value attributes/pomona-release)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcloud storage cp --quiet "$release/install.sh" "$work/install.sh"
sh "$work/install.sh" "$release" /opt/conda/default/bin/python
