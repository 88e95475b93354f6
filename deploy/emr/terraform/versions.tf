terraform {
  required_version = ">= 1.7"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.70"
    }
  }
}

provider "aws" {
  region = var.region
  default_tags {
    tags = local.tags
  }
}

locals {
  # EMR's managed policies reach only what carries its tag; the others are for Cost Explorer and the budget.
  tags = {
    project                                    = "pomona"
    owner                                      = var.owner
    "for-use-with-amazon-emr-managed-policies" = "true"
  }
  name = "pomona-${var.account_suffix}"
}
