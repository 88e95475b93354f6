variable "region" {
  description = "Where everything stands: a region in a member state of the European Union."
  type        = string
  default     = "eu-central-1"
  validation {
    # London (eu-west-2) and Zurich (eu-central-2) are named for Europe but are not in the EU.
    condition = contains(
      ["eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"], var.region
    )
    error_message = "Choose a region in the EU: eu-central-1, eu-north-1, eu-south-1, eu-south-2, eu-west-1 or eu-west-3."
  }
}

variable "account_suffix" {
  description = "Makes names unique, such as your team's: bucket names are shared by all of AWS."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,30}[a-z0-9]$", var.account_suffix))
    error_message = "Use 3 to 32 small letters, digits and hyphens."
  }
}

variable "owner" {
  description = "Whom costs are put down to (a tag), such as a team or cost centre."
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

variable "monthly_budget" {
  description = "US dollars a month; mail goes out at 50, 90 and 100 % of them."
  type        = number
  default     = 100
  validation {
    condition     = var.monthly_budget > 0
    error_message = "A budget is more than nothing."
  }
}

variable "images_buckets" {
  description = "Names of further buckets that jobs may read images from; the one made here is always among them."
  type        = list(string)
  default     = []
}

variable "release" {
  description = "EMR release."
  type        = string
  default     = "emr-7.12.0"
  validation {
    condition     = startswith(var.release, "emr-7.")
    error_message = "Releases of EMR 7 (Amazon Linux 2023, Spark 3.5, Python 3.9) are what the deployment is made for."
  }
}

variable "worker_types" {
  description = "Machines that workers may be, all x86_64 with 8 vCPUs and 16 GB, which the executors fill. Features are the same bits on each; several kinds are had more often as spot."
  type        = list(string)
  default     = ["c7a.2xlarge", "c7i.2xlarge", "c6a.2xlarge", "c6i.2xlarge"]
  validation {
    condition     = alltrue([for type in var.worker_types : can(regex("^c[5-9](a|i|i-flex)?\\.2xlarge$", type))])
    error_message = "Choose among c5 to c9 .2xlarge with x86_64, such as c7a.2xlarge."
  }
}

variable "max_workers" {
  description = "The most workers that managed scaling adds."
  type        = number
  default     = 8
  validation {
    condition     = var.max_workers >= 1 && var.max_workers <= 200
    error_message = "Between 1 and 200."
  }
}

variable "idle_minutes" {
  description = "A cluster with nothing to do ends itself after so long."
  type        = number
  default     = 15
  validation {
    condition     = var.idle_minutes >= 1 && var.idle_minutes <= 1440
    error_message = "Between a minute and a day."
  }
}

variable "shell" {
  description = "Whether nodes can be reached by Session Manager; its two endpoints cost by the hour."
  type        = bool
  default     = false
}

variable "deploy_repository" {
  description = "GitHub repository (owner/name) whose workflow may publish releases and run jobs, without stored keys; empty: none."
  type        = string
  default     = ""
}
