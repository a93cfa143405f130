#!/usr/bin/env bash
# Deploys dist/template/ (npm run template) with the AWS CLI alone: CODE_BUCKET=my-bucket infra/examples/aws-cli.sh
# Any bucket of the stack's region will do. Other parameters: docs/platform-engineer.md, with a capital at their beginning.
set -euo pipefail
: "${CODE_BUCKET:?a bucket of the region for both zips}" "${STACK:=mysafe-enable-prod}" "${SECRET_ID:=mysafe/segura}"
cd "$(dirname "$0")/../../dist/template"
sha256sum --check SHA256SUMS
for zip in *.zip; do aws s3 cp "$zip" "s3://$CODE_BUCKET/mysafe-enable/$zip"; done
aws cloudformation deploy --stack-name "$STACK" --template-file template.json --capabilities CAPABILITY_IAM \
  --parameter-overrides "CodeBucket=$CODE_BUCKET" CodePrefix=mysafe-enable/ "SecretId=$SECRET_ID"
