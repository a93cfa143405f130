# Deploys dist/template/ (npm run template) with Terraform, from the project's folder, in the region of your AWS profile:
# terraform -chdir=infra/examples init && terraform -chdir=infra/examples apply -var code_bucket=my-bucket
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.0" }
  }
}

variable "code_bucket" {
  description = "A bucket of the stack's region, for both zips"
  type        = string
}

locals {
  folder = "${path.module}/../../dist/template"
}

resource "aws_s3_object" "code" {
  for_each    = fileset(local.folder, "*.zip")
  bucket      = var.code_bucket
  key         = "mysafe-enable/${each.value}"
  source      = "${local.folder}/${each.value}"
  source_hash = filesha256("${local.folder}/${each.value}")
}

resource "aws_cloudformation_stack" "mysafe_enable" {
  name          = "mysafe-enable-prod"
  template_body = file("${local.folder}/template.json")
  capabilities  = ["CAPABILITY_IAM"]
  depends_on    = [aws_s3_object.code]
  parameters = {
    CodeBucket = var.code_bucket
    CodePrefix = "mysafe-enable/"
    SecretId   = "mysafe/segura"
  }
}

output "requests_queue_url" {
  value = aws_cloudformation_stack.mysafe_enable.outputs["SourceQueueUrl"]
}
