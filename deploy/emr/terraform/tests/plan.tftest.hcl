# The configuration evaluated whole, against stand-ins for AWS: `terraform test`.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["a", "b", "c"] }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  account_suffix = "orchard-team"
  owner          = "orchard"
  alert_email    = "orchard@example.org"
}

run "defaults" {
  command = plan

  assert {
    condition     = aws_s3_bucket.pomona.bucket == "pomona-orchard-team"
    error_message = "the bucket's name"
  }
  assert {
    condition     = sort([for n in aws_budgets_budget.monthly.notification : tostring(n.threshold)]) == sort(["100", "50", "90"])
    error_message = "alerts at 50, 90 and 100 %"
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.ways : rule.cidr_ipv4 == null && rule.cidr_ipv6 == null])
    error_message = "no way in but from our own groups"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.nodes : subnet.map_public_ip_on_launch != true])
    error_message = "no public addresses"
  }
  assert {
    condition     = length(aws_iam_role.ci) == 0 && length(aws_iam_role_policy_attachment.shell) == 0
    error_message = "nothing that was not asked for"
  }
}

run "london_is_not_in_the_eu" {
  command = plan
  variables {
    region = "eu-west-2"
  }
  expect_failures = [var.region]
}

run "zurich_is_not_in_the_eu" {
  command = plan
  variables {
    region = "eu-central-2"
  }
  expect_failures = [var.region]
}

run "old_releases_are_refused" {
  command = plan
  variables {
    release = "emr-6.15.0"
  }
  expect_failures = [var.release]
}

run "one_worker_needs_no_spot" {
  command = plan
  variables {
    max_workers = 1
  }
  assert {
    condition     = local.cluster.InstanceFleets[*].InstanceFleetType == ["MASTER", "CORE"]
    error_message = "a single worker is the core node"
  }
}

run "graviton_has_no_wheel" {
  command = plan
  variables {
    worker_types = ["c7g.2xlarge"]
  }
  expect_failures = [var.worker_types]
}

run "workflow_and_shell_on_request" {
  command = plan
  variables {
    deploy_repository = "orchard/photos"
    shell             = true
  }
  assert {
    condition     = length(aws_iam_role.ci) == 1 && length(aws_vpc_endpoint.services) == 4
    error_message = "the workflow's role, and the two endpoints of Session Manager"
  }
}
