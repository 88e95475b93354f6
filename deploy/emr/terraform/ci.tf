# Who publishes a release and runs a job from GitHub's workflow: its own short-lived word (OIDC) instead of a stored key.

locals {
  ci = var.deploy_repository == "" ? 0 : 1
}

resource "aws_iam_openid_connect_provider" "github" {
  count          = local.ci
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "ci_assume" {
  count = local.ci
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github[0].arn]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:${var.deploy_repository}:environment:emr"]
    }
  }
}

data "aws_iam_policy_document" "ci" {
  count = local.ci
  statement {
    sid       = "Publish"
    actions   = ["s3:PutObject", "s3:GetObject"]
    resources = ["${aws_s3_bucket.pomona.arn}/deploy/*"]
  }
  statement {
    sid       = "Look"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.pomona.arn]
  }
  statement {
    sid       = "Key"
    actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
    resources = [aws_kms_key.pomona.arn]
  }
  statement {
    sid       = "StartClustersWithOurTag"
    actions   = ["elasticmapreduce:RunJobFlow"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/project"
      values   = ["pomona"]
    }
  }
  statement {
    sid       = "TagThem"
    actions   = ["elasticmapreduce:AddTags"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/project"
      values   = ["pomona"]
    }
  }
  statement {
    sid       = "FollowAndEndThem"
    actions   = ["elasticmapreduce:DescribeCluster", "elasticmapreduce:DescribeStep", "elasticmapreduce:ListSteps", "elasticmapreduce:TerminateJobFlows"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/project"
      values   = ["pomona"]
    }
  }
  statement {
    sid       = "PassTheRoles"
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.service.arn, aws_iam_role.nodes.arn]
  }
}

resource "aws_iam_role" "ci" {
  count              = local.ci
  name               = "${local.name}-ci"
  assume_role_policy = data.aws_iam_policy_document.ci_assume[0].json
}

resource "aws_iam_role_policy" "ci" {
  count  = local.ci
  name   = "publish-and-run"
  role   = aws_iam_role.ci[0].id
  policy = data.aws_iam_policy_document.ci[0].json
}
