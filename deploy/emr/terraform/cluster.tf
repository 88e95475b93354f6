# A cluster is made for a job and ends with it, so that Terraform holds what is the same for all of them: how they are encrypted, what
# they are made of, how they grow and when they end. deploy/emr/submit.py reads it from the output `cluster`,
# whose names are those of `aws emr create-cluster`.

resource "aws_emr_security_configuration" "pomona" {
  name = local.name
  configuration = jsonencode({
    EncryptionConfiguration = {
      EnableInTransitEncryption = false # would take certificates; these kinds of machine encrypt what passes between them (Nitro)
      EnableAtRestEncryption    = true
      AtRestEncryptionConfiguration = {
        S3EncryptionConfiguration = {
          EncryptionMode = "SSE-KMS"
          AwsKmsKey      = aws_kms_key.pomona.arn
        }
        LocalDiskEncryptionConfiguration = {
          EncryptionKeyProviderType = "AwsKms"
          AwsKmsKey                 = aws_kms_key.pomona.arn
          EnableEbsEncryption       = true
        }
      }
    }
    InstanceMetadataServiceConfiguration = {
      MinimumInstanceMetadataServiceVersion = 2
      HttpPutResponseHopLimit               = 1
    }
  })
}

locals {
  worker_vcpus = 8 # capacity is counted in vCPUs, 8 a worker
  cluster = {
    ReleaseLabel          = var.release
    Applications          = [{ Name = "Spark" }]
    ServiceRole           = aws_iam_role.service.arn
    SecurityConfiguration = aws_emr_security_configuration.pomona.name
    LogUri                = "s3://${aws_s3_bucket.pomona.id}/logs/emr/"
    Tags                  = [for key, value in local.tags : { Key = key, Value = value }]
    AutoTerminationPolicy = { IdleTimeout = var.idle_minutes * 60 }
    ManagedScalingPolicy = {
      ComputeLimits = {
        UnitType                     = "InstanceFleetUnits"
        MinimumCapacityUnits         = local.worker_vcpus
        MaximumCapacityUnits         = local.worker_vcpus * var.max_workers
        MaximumOnDemandCapacityUnits = local.worker_vcpus
        MaximumCoreCapacityUnits     = local.worker_vcpus
      }
    }
    Ec2Attributes = {
      InstanceProfile               = aws_iam_instance_profile.nodes.name
      SubnetIds                     = aws_subnet.nodes[*].id
      EmrManagedMasterSecurityGroup = aws_security_group.primary.id
      EmrManagedSlaveSecurityGroup  = aws_security_group.workers.id
      ServiceAccessSecurityGroup    = aws_security_group.service.id
    }
    InstanceFleets = concat(local.steady_fleets, var.max_workers > 1 ? [local.spot_fleet] : [])
  }
  steady_fleets = [
    {
      Name                   = "primary"
      InstanceFleetType      = "MASTER"
      TargetOnDemandCapacity = 1
      InstanceTypeConfigs    = [{ InstanceType = "m7i.xlarge" }, { InstanceType = "m6i.xlarge" }]
    },
    { # one worker that stays: it holds HDFS, in which Spark keeps little
      Name                   = "core"
      InstanceFleetType      = "CORE"
      TargetOnDemandCapacity = local.worker_vcpus
      InstanceTypeConfigs    = local.worker_machines
    },
  ]
  spot_fleet = { # losing one costs the pictures that it had in hand; managed scaling adds more
    Name                = "task"
    InstanceFleetType   = "TASK"
    TargetSpotCapacity  = local.worker_vcpus
    InstanceTypeConfigs = local.worker_machines
    LaunchSpecifications = {
      SpotSpecification = {
        AllocationStrategy     = "price-capacity-optimized"
        TimeoutDurationMinutes = 10
        TimeoutAction          = "SWITCH_TO_ON_DEMAND"
      }
    }
  }
  worker_machines = [for type in var.worker_types : { InstanceType = type, WeightedCapacity = local.worker_vcpus }]
}
