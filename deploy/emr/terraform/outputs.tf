output "region" {
  value = var.region
}

output "bucket" {
  description = "Holds images/, tables/, deploy/ and logs/."
  value       = aws_s3_bucket.pomona.id
}

output "cluster" {
  description = "What every cluster is made of."
  value       = local.cluster
}

output "ci_role" {
  description = "Role of the workflow, where deploy_repository is set."
  value       = one(aws_iam_role.ci[*].arn)
}
