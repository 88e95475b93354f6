#!/bin/sh
# Deletes every cluster of Pomona's in a region. What they wrote stays; `terraform destroy` removes the rest, but no bucket that still
# holds something (the one for Dataproc's staged files excepted).
# usage: teardown.sh PROJECT REGION [--dry-run]
set -eu
[ $# -ge 2 ] || { echo "usage: $0 PROJECT REGION [--dry-run]" >&2; exit 1; }
project=$1
region=$2
dry=${3:-}

clusters=$(gcloud dataproc clusters list --project="$project" --region="$region" --filter='labels.project = pomona' --format='value(clusterName)')
for cluster in $clusters; do
    echo "gcloud dataproc clusters delete $cluster --project=$project --region=$region --quiet"
    [ "$dry" = --dry-run ] || gcloud dataproc clusters delete "$cluster" --project="$project" --region="$region" --quiet
done
