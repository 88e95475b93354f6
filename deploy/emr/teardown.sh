#!/bin/sh
# Ends every running cluster of Pomona's in a region. What they wrote stays; `terraform destroy` removes the rest, but no bucket that
# still holds something.
# usage: teardown.sh REGION [--dry-run]
set -eu
[ $# -ge 1 ] || { echo "usage: $0 REGION [--dry-run]" >&2; exit 1; }
region=$1
dry=${2:-}

# Names start with "pomona ", as submit.py gives them; the tag decides.
clusters=$(aws emr list-clusters --region "$region" --active --query "Clusters[?starts_with(Name, 'pomona ')].Id" --output text)
[ "$clusters" != None ] || clusters=
for cluster in $clusters; do
    tag=$(aws emr describe-cluster --region "$region" --cluster-id "$cluster" \
        --query "Cluster.Tags[?Key=='project'].Value | [0]" --output text)
    [ "$tag" = pomona ] || continue
    echo "aws emr terminate-clusters --region $region --cluster-ids $cluster"
    [ "$dry" = --dry-run ] || aws emr terminate-clusters --region "$region" --cluster-ids "$cluster"
done
