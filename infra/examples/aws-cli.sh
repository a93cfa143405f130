#!/usr/bin/env bash
# Deploys dist/template/ with the AWS CLI alone: npm run template && CODE_BUCKET=my-bucket infra/examples/aws-cli.sh
# Any bucket of the stack's region will do. Other parameters: docs/platform-engineer.md, with a capital at their beginning.
set -euo pipefail
: "${CODE_BUCKET:?a bucket of the region for both zips}" "${STACK:=mysafe-enable-prod}" "${SECRET_ID:=mysafe/segura}"
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
: "${region:?is missing: set AWS_REGION, AWS_DEFAULT_REGION or the region of your AWS profile}"
export AWS_DEFAULT_REGION=$region # which version 1 of the AWS CLI knows, too
cd "$(dirname "$0")/../../dist/template"
if command -v sha256sum >/dev/null; then sha256sum --check SHA256SUMS; else shasum -a 256 --check SHA256SUMS; fi
for zip in *.zip; do aws s3 cp "$zip" "s3://$CODE_BUCKET/mysafe-enable/$zip"; done
aws cloudformation deploy --stack-name "$STACK" --template-file template.json --capabilities CAPABILITY_IAM \
  --parameter-overrides "CodeBucket=$CODE_BUCKET" CodePrefix=mysafe-enable/ "SecretId=$SECRET_ID"
