/**
 * Deploys dist/template/ (npm run template) from a CDK app; the zips go where CDK keeps its assets. In an account that
 * `cdk bootstrap` has prepared, from the project's folder:
 * npm install --no-save aws-cdk aws-cdk-lib constructs && npx cdk deploy --app "node infra/examples/cdk.mjs"
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';

const folder = join(import.meta.dirname, '../../dist/template');
const stack = new Stack(new App(), 'mysafe-enable-prod');

const assetOf = (start) => {
  const name = readdirSync(folder).find((each) => each.startsWith(start));
  return new Asset(stack, start, { path: join(folder, name) });
};
const functions = {
  EnableDashpasswordLambdaFunction: assetOf('enable-password'),
  ReplayDashdeadDashlettersLambdaFunction: assetOf('replay-dead-letters'),
};
const included = new CfnInclude(stack, 'MysafeEnable', {
  templateFile: join(folder, 'template.json'),
  parameters: { CodeBucket: functions.EnableDashpasswordLambdaFunction.s3BucketName, SecretId: 'mysafe/segura' },
});
for (const [id, { s3ObjectKey }] of Object.entries(functions)) {
  included.getResource(id).addPropertyOverride('Code.S3Key', s3ObjectKey);
}
