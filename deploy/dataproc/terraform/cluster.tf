# A cluster is made for a job and deleted with it, so that Terraform holds what is the same for all of them. deploy/dataproc/submit.py
# reads it from the output `cluster`, whose names are those of Dataproc's API.

resource "google_dataproc_autoscaling_policy" "pomona" {
  policy_id = local.name
  location  = var.region

  worker_config { # the two that hold HDFS stay
    min_instances = 2
    max_instances = 2
    weight        = 1
  }
  secondary_worker_config {
    min_instances = 0
    max_instances = var.max_workers
    weight        = 1
  }
  basic_algorithm {
    cooldown_period = "120s"
    yarn_config {
      scale_up_factor               = 1.0
      scale_down_factor             = 1.0
      graceful_decommission_timeout = "600s"
    }
  }
  depends_on = [google_project_service.needed]
}

locals {
  disk = { bootDiskType = "pd-balanced", bootDiskSizeGb = 64 }
  cluster = {
    labels = local.labels
    config = {
      configBucket = google_storage_bucket.staging.name
      tempBucket   = google_storage_bucket.staging.name
      gceClusterConfig = {
        subnetworkUri        = google_compute_subnetwork.nodes.id
        internalIpOnly       = true
        serviceAccount       = google_service_account.nodes.email
        serviceAccountScopes = ["https://www.googleapis.com/auth/cloud-platform"]
        shieldedInstanceConfig = {
          enableSecureBoot          = true
          enableVtpm                = true
          enableIntegrityMonitoring = true
        }
        metadata = { "block-project-ssh-keys" = "true", "enable-oslogin" = "true" }
      }
      masterConfig          = { numInstances = 1, machineTypeUri = "n2d-standard-4", diskConfig = local.disk }
      workerConfig          = { numInstances = 2, machineTypeUri = var.machine, diskConfig = local.disk }
      secondaryWorkerConfig = { numInstances = 0, preemptibility = "SPOT", diskConfig = local.disk }
      softwareConfig = {
        imageVersion = "2.2-debian12"
        properties   = { "dataproc:dataproc.logging.stackdriver.job.driver.enable" = "true" }
      }
      encryptionConfig  = { gcePdKmsKeyName = google_kms_crypto_key.pomona.id }
      autoscalingConfig = { policyUri = google_dataproc_autoscaling_policy.pomona.name }
      lifecycleConfig   = { idleDeleteTtl = "${var.idle_minutes * 60}s" }
    }
  }
}
