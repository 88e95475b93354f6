# Two roles, as EMR has them: what the service may do, and what the nodes may. No user, no key that could be lost.

data "aws_iam_policy_document" "assume" {
  for_each = { service = "elasticmapreduce.amazonaws.com", nodes = "ec2.amazonaws.com" }
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = [each.value]
    }
    dynamic "condition" {
      for_each = each.key == "service" ? [1] : []
      content {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [data.aws_caller_identity.here.account_id]
      }
    }
  }
}

resource "aws_iam_role" "service" {
  name               = "${local.name}-emr"
  assume_role_policy = data.aws_iam_policy_document.assume["service"].json
}

# AWS's own policy in its second version: it acts only on what carries EMR's tag.
resource "aws_iam_role_policy_attachment" "service" {
  role       = aws_iam_role.service.name
  policy_arn = "arn:${data.aws_partition.here.partition}:iam::aws:policy/service-role/AmazonEMRServicePolicy_v2"
}

data "aws_iam_policy_document" "service" {
  statement {
    sid       = "GiveNodesTheirRole"
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.nodes.arn]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.amazonaws.com"]
    }
  }
  statement {
    sid       = "EncryptDisks"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"]
    resources = [aws_kms_key.pomona.arn]
  }
  statement {
    sid       = "LendTheKeyToDisks"
    actions   = ["kms:CreateGrant"]
    resources = [aws_kms_key.pomona.arn]
    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }
}

resource "aws_iam_role_policy" "service" {
  name   = "key-and-nodes"
  role   = aws_iam_role.service.id
  policy = data.aws_iam_policy_document.service.json
}

resource "aws_iam_role" "nodes" {
  name               = "${local.name}-nodes"
  assume_role_policy = data.aws_iam_policy_document.assume["nodes"].json
}

data "aws_iam_policy_document" "nodes" {
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
    resources = concat([aws_s3_bucket.pomona.arn], [for name in var.images_buckets : "arn:${data.aws_partition.here.partition}:s3:::${name}"])
  }
  statement {
    sid     = "Read"
    actions = ["s3:GetObject"]
    resources = concat(["${aws_s3_bucket.pomona.arn}/*"],
    [for name in var.images_buckets : "arn:${data.aws_partition.here.partition}:s3:::${name}/*"])
  }
  statement {
    sid       = "WriteTablesAndLogs"
    actions   = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    resources = ["${aws_s3_bucket.pomona.arn}/tables/*", "${aws_s3_bucket.pomona.arn}/logs/*"]
  }
  statement {
    sid       = "Key"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
    resources = [aws_kms_key.pomona.arn]
  }
}

resource "aws_iam_role_policy" "nodes" {
  name   = "bucket"
  role   = aws_iam_role.nodes.id
  policy = data.aws_iam_policy_document.nodes.json
}

resource "aws_iam_role_policy_attachment" "shell" {
  count      = var.shell ? 1 : 0
  role       = aws_iam_role.nodes.name
  policy_arn = "arn:${data.aws_partition.here.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "nodes" {
  name = aws_iam_role.nodes.name
  role = aws_iam_role.nodes.name
}
