# A private network: no internet gateway, no NAT, no public addresses. Nodes reach S3 by a gateway (free) and the few
# other services that they need by endpoints (by the hour).

data "aws_availability_zones" "here" {
  state = "available"
}

resource "aws_vpc" "pomona" {
  cidr_block           = "10.42.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = local.name }
}

resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.pomona.id
}

resource "aws_subnet" "nodes" {
  count             = 3 # EMR picks the zone whose spot machines are to be had
  vpc_id            = aws_vpc.pomona.id
  availability_zone = data.aws_availability_zones.here.names[count.index]
  cidr_block        = cidrsubnet(aws_vpc.pomona.cidr_block, 4, count.index)
  tags              = { Name = "${local.name}-${count.index}" }
}

resource "aws_route_table" "nodes" {
  vpc_id = aws_vpc.pomona.id
}

resource "aws_route_table_association" "nodes" {
  count          = length(aws_subnet.nodes)
  subnet_id      = aws_subnet.nodes[count.index].id
  route_table_id = aws_route_table.nodes.id
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.pomona.id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.nodes.id]
}

resource "aws_vpc_endpoint" "services" {
  for_each            = toset(concat(["elasticmapreduce", "kms"], var.shell ? ["ssm", "ssmmessages"] : []))
  vpc_id              = aws_vpc.pomona.id
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [aws_subnet.nodes[0].id]
  security_group_ids  = [aws_security_group.endpoints.id]
}

resource "aws_security_group" "endpoints" {
  name_prefix = "${local.name}-endpoints-"
  description = "Endpoints: TLS from the nodes"
  vpc_id      = aws_vpc.pomona.id
}

resource "aws_security_group" "primary" {
  name_prefix            = "${local.name}-primary-"
  description            = "EMR primary node; no way in from outside"
  vpc_id                 = aws_vpc.pomona.id
  revoke_rules_on_delete = true # EMR adds rules of its own between these three groups
}

resource "aws_security_group" "workers" {
  name_prefix            = "${local.name}-workers-"
  description            = "EMR core and task nodes; no way in from outside"
  vpc_id                 = aws_vpc.pomona.id
  revoke_rules_on_delete = true
}

resource "aws_security_group" "service" {
  name_prefix            = "${local.name}-service-"
  description            = "EMR's own access to the nodes"
  vpc_id                 = aws_vpc.pomona.id
  revoke_rules_on_delete = true
}

locals {
  nodes = { primary = aws_security_group.primary.id, workers = aws_security_group.workers.id }
  # who may open a connection to whom; "-1": any port
  ways = {
    primary-primary = { from = local.nodes.primary, to = local.nodes.primary, port = -1 }
    primary-workers = { from = local.nodes.primary, to = local.nodes.workers, port = -1 }
    workers-primary = { from = local.nodes.workers, to = local.nodes.primary, port = -1 }
    workers-workers = { from = local.nodes.workers, to = local.nodes.workers, port = -1 }
    service-primary = { from = aws_security_group.service.id, to = local.nodes.primary, port = 8443 }
    service-workers = { from = aws_security_group.service.id, to = local.nodes.workers, port = 8443 }
    primary-service = { from = local.nodes.primary, to = aws_security_group.service.id, port = 9443 }
    primary-tls     = { from = local.nodes.primary, to = aws_security_group.endpoints.id, port = 443 }
    workers-tls     = { from = local.nodes.workers, to = aws_security_group.endpoints.id, port = 443 }
  }
}

resource "aws_vpc_security_group_egress_rule" "ways" {
  for_each                     = local.ways
  description                  = each.key
  security_group_id            = each.value.from
  referenced_security_group_id = each.value.to
  ip_protocol                  = each.value.port < 0 ? "-1" : "tcp"
  from_port                    = each.value.port < 0 ? null : each.value.port
  to_port                      = each.value.port < 0 ? null : each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "ways" {
  for_each                     = local.ways
  description                  = each.key
  security_group_id            = each.value.to
  referenced_security_group_id = each.value.from
  ip_protocol                  = each.value.port < 0 ? "-1" : "tcp"
  from_port                    = each.value.port < 0 ? null : each.value.port
  to_port                      = each.value.port < 0 ? null : each.value.port
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  for_each          = local.nodes
  description       = "S3 from the ${each.key}"
  security_group_id = each.value
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_emr_block_public_access_configuration" "none" {
  block_public_security_group_rules = true # also without the exception that EMR makes for port 22
}
