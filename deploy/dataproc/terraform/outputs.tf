output "project" {
  value = var.project
}

output "region" {
  value = var.region
}

output "bucket" {
  description = "Holds images/, tables/ and deploy/."
  value       = google_storage_bucket.pomona.name
}

output "cluster" {
  description = "What every cluster is made of."
  value       = local.cluster
}

output "ci" {
  description = "The workflow's identity, where deploy_repository is set."
  value = {
    provider        = one(google_iam_workload_identity_pool_provider.github[*].name)
    service_account = one(google_service_account.ci[*].email)
  }
}
