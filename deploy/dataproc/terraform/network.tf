# A private network: nodes have no public address and nobody reaches them from outside. Google's own services, buckets among them, are
# reached over Private Google Access. A shell is IAP's: gcloud compute ssh --tunnel-through-iap.

resource "google_project_service" "needed" {
  for_each           = toset(["cloudkms", "compute", "dataproc", "iam", "logging", "monitoring", "storage"])
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

resource "google_compute_network" "pomona" {
  name                    = local.name
  auto_create_subnetworks = false
  depends_on              = [google_project_service.needed]
}

resource "google_compute_subnetwork" "nodes" {
  name                     = "${local.name}-nodes"
  network                  = google_compute_network.pomona.id
  region                   = var.region
  ip_cidr_range            = "10.42.0.0/20"
  private_ip_google_access = true
  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "EXCLUDE_ALL_METADATA"
  }
}

resource "google_compute_firewall" "among_nodes" {
  name                    = "${local.name}-among-nodes"
  network                 = google_compute_network.pomona.id
  direction               = "INGRESS"
  source_service_accounts = [google_service_account.nodes.email]
  target_service_accounts = [google_service_account.nodes.email]
  allow {
    protocol = "tcp"
  }
  allow {
    protocol = "udp"
  }
  allow {
    protocol = "icmp"
  }
}

resource "google_compute_firewall" "shell" {
  name                    = "${local.name}-iap"
  network                 = google_compute_network.pomona.id
  direction               = "INGRESS"
  source_ranges           = ["35.235.240.0/20"] # Identity-Aware Proxy; who may pass is IAM's to say
  target_service_accounts = [google_service_account.nodes.email]
  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}
