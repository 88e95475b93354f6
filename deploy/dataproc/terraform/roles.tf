# What the nodes may do. They are their service account by the metadata service: there is no key to lose.

resource "google_service_account" "nodes" {
  account_id   = "${local.name}-nodes"
  display_name = "Nodes of Pomona's clusters"
  depends_on   = [google_project_service.needed]
}

resource "google_project_iam_member" "nodes" {
  for_each = toset(["roles/dataproc.worker", "roles/logging.logWriter", "roles/monitoring.metricWriter"])
  project  = var.project
  role     = each.key
  member   = google_service_account.nodes.member
}

resource "google_storage_bucket_iam_member" "read" {
  for_each = toset(concat([google_storage_bucket.pomona.name], var.images_buckets))
  bucket   = each.key
  role     = "roles/storage.objectViewer"
  member   = google_service_account.nodes.member
}

resource "google_storage_bucket_iam_member" "tables" {
  bucket = google_storage_bucket.pomona.name
  role   = "roles/storage.objectUser"
  member = google_service_account.nodes.member
  condition {
    title      = "tables alone"
    expression = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.pomona.name}/objects/tables/\")"
  }
}

resource "google_storage_bucket_iam_member" "staging" {
  bucket = google_storage_bucket.staging.name
  role   = "roles/storage.objectUser"
  member = google_service_account.nodes.member
}
