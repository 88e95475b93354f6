# One bucket: images/ in, tables/ out, deploy/ for releases. Private, encrypted with a key of its own, versioned.

resource "google_kms_key_ring" "pomona" {
  name       = local.name
  location   = var.region
  depends_on = [google_project_service.needed]
}

resource "google_kms_crypto_key" "pomona" {
  name            = "pomona"
  key_ring        = google_kms_key_ring.pomona.id
  rotation_period = "7776000s" # 90 days

  destroy_scheduled_duration = "2592000s" # 30 days to think better of it
}

data "google_storage_project_service_account" "storage" {}
data "google_project" "here" {}

# The services that encrypt with it: Cloud Storage, and Compute Engine for the disks.
resource "google_kms_crypto_key_iam_member" "services" {
  for_each = {
    storage = "serviceAccount:${data.google_storage_project_service_account.storage.email_address}"
    compute = "serviceAccount:service-${data.google_project.here.number}@compute-system.iam.gserviceaccount.com"
  }
  crypto_key_id = google_kms_crypto_key.pomona.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value
}

resource "google_storage_bucket" "pomona" {
  name                        = local.name
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  depends_on                  = [google_kms_crypto_key_iam_member.services]

  versioning {
    enabled = true
  }
  encryption {
    default_kms_key_name = google_kms_crypto_key.pomona.id
  }
  lifecycle_rule {
    condition {
      age = 2
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }
  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 30
      with_state                 = "ARCHIVED"
    }
    action {
      type = "Delete"
    }
  }
  lifecycle_rule {
    condition {
      age            = 90
      matches_prefix = ["images/"]
    }
    action {
      type          = "SetStorageClass"
      storage_class = "NEARLINE"
    }
  }
}

# Dataproc's own: staged job files, drivers' output, temporary data. It empties itself.
resource "google_storage_bucket" "staging" {
  name                        = "${local.name}-staging"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true
  depends_on                  = [google_kms_crypto_key_iam_member.services]

  encryption {
    default_kms_key_name = google_kms_crypto_key.pomona.id
  }
  soft_delete_policy {
    retention_duration_seconds = 0
  }
  lifecycle_rule {
    condition {
      age = 30
    }
    action {
      type = "Delete"
    }
  }
}
