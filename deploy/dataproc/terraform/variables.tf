variable "project" {
  description = "Google Cloud project, with billing."
  type        = string
}

variable "region" {
  description = "Where everything stands: a region in a member state of the European Union."
  type        = string
  default     = "europe-west3"
  validation {
    # London (europe-west2) and Zurich (europe-west6) are named for Europe but are not in the EU.
    condition = contains([
      "europe-central2", "europe-north1", "europe-north2", "europe-southwest1", "europe-west1", "europe-west3", "europe-west4",
      "europe-west8", "europe-west9", "europe-west10", "europe-west12"
    ], var.region)
    error_message = "Choose a region in the EU, such as europe-west3 (Frankfurt), europe-west4 (Netherlands) or europe-west9 (Paris)."
  }
}

variable "account_suffix" {
  description = "Makes names unique, such as your team's: bucket names are shared by all of Google Cloud."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,14}[a-z0-9]$", var.account_suffix))
    error_message = "Use 3 to 16 small letters, digits and hyphens."
  }
}

variable "owner" {
  description = "Whom costs are put down to (a label), such as a team or cost centre."
  type        = string
}

variable "alert_email" {
  description = "Who hears of the budget and of failed jobs."
  type        = string
  validation {
    condition     = can(regex("^[^@ ]+@[^@ ]+$", var.alert_email))
    error_message = "Give an e-mail address."
  }
}

variable "billing_account" {
  description = "Billing account that the budget stands in (000000-000000-000000)."
  type        = string
}

variable "monthly_budget" {
  description = "A month's budget, in the billing account's currency; mail goes out at 50, 90 and 100 % of it."
  type        = number
  default     = 100
  validation {
    condition     = var.monthly_budget >= 1
    error_message = "A budget is more than nothing."
  }
}

variable "images_buckets" {
  description = "Names of further buckets that jobs may read images from; the one made here is always among them."
  type        = list(string)
  default     = []
}

variable "machine" {
  description = "Kind of the workers: x86_64, 8 vCPUs, 32 GB, of which one executor fills more than half."
  type        = string
  default     = "n2d-standard-8"
  validation {
    condition     = can(regex("^(c2d|c3|c3d|c4|c4d|n2|n2d)-standard-8$", var.machine))
    error_message = "Choose a machine of x86_64 with 8 vCPUs and 32 GB, such as n2d-standard-8 or c3d-standard-8."
  }
}

variable "max_workers" {
  description = "The most workers that autoscaling adds beside the two that Dataproc always has; all of them spot machines."
  type        = number
  default     = 6
  validation {
    condition     = var.max_workers >= 0 && var.max_workers <= 200
    error_message = "Between none and 200."
  }
}

variable "idle_minutes" {
  description = "A cluster with nothing to do is deleted after so long."
  type        = number
  default     = 15
  validation {
    condition     = var.idle_minutes >= 5 && var.idle_minutes <= 1440
    error_message = "Between 5 minutes and a day."
  }
}

variable "deploy_repository" {
  description = "GitHub repository (owner/name) whose workflow may publish releases and run jobs, without stored keys; empty: none."
  type        = string
  default     = ""
}
