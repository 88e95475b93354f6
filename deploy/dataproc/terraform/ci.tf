# Who publishes a release and runs a job from GitHub's workflow: its own short-lived word (workload identity) instead of a stored key.

locals {
  ci = var.deploy_repository == "" ? 0 : 1
}

resource "google_iam_workload_identity_pool" "github" {
  count                     = local.ci
  workload_identity_pool_id = "${local.name}-ci"
}

resource "google_iam_workload_identity_pool_provider" "github" {
  count                              = local.ci
  workload_identity_pool_id          = google_iam_workload_identity_pool.github[0].workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  attribute_condition                = "assertion.sub == 'repo:${var.deploy_repository}:environment:dataproc'"
  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
  }
  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account" "ci" {
  count        = local.ci
  account_id   = "${local.name}-ci"
  display_name = "Publishes Pomona's releases and runs jobs"
}

resource "google_service_account_iam_member" "ci" {
  count              = local.ci
  service_account_id = google_service_account.ci[0].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github[0].name}/attribute.repository/${var.deploy_repository}"
}

resource "google_project_iam_member" "ci" {
  count   = local.ci
  project = var.project
  role    = "roles/dataproc.editor"
  member  = google_service_account.ci[0].member
}

resource "google_service_account_iam_member" "ci_gives_nodes_their_account" {
  count              = local.ci
  service_account_id = google_service_account.nodes.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.ci[0].member
}

resource "google_storage_bucket_iam_member" "ci" {
  count  = local.ci
  bucket = google_storage_bucket.pomona.name
  role   = "roles/storage.objectUser"
  member = google_service_account.ci[0].member
  condition {
    title      = "releases alone"
    expression = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.pomona.name}/objects/deploy/\")"
  }
}
