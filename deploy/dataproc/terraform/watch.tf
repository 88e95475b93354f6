# What is spent, and what went wrong, comes by mail.

resource "google_monitoring_notification_channel" "mail" {
  display_name = local.name
  type         = "email"
  labels       = { email_address = var.alert_email }
  depends_on   = [google_project_service.needed]
}

resource "google_billing_budget" "monthly" {
  billing_account = var.billing_account
  display_name    = local.name

  budget_filter {
    projects = ["projects/${data.google_project.here.number}"]
    labels   = { project = "pomona" }
  }
  amount {
    specified_amount {
      units = tostring(floor(var.monthly_budget))
    }
  }
  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.mail.id]
  }
}

resource "google_monitoring_alert_policy" "failures" {
  display_name          = "${local.name}: failed jobs"
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.mail.id]

  conditions {
    display_name = "a job failed"
    condition_threshold {
      filter          = "resource.type = \"cloud_dataproc_cluster\" AND metric.type = \"dataproc.googleapis.com/cluster/job/failed_count\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_DELTA"
      }
    }
  }
  documentation {
    content = "The driver's output stands in gs://${google_storage_bucket.staging.name}, the cluster's logs in Cloud Logging under cloud_dataproc_cluster."
  }
}
