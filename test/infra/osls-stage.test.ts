/** osls makes API stages of its own after a deployment, unknown to CloudFormation, where it finds an API that it takes for its. */
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { compile, type Template } from './compile.ts';

const require = createRequire(import.meta.url);
const { updateStage } = require('osls/lib/plugins/aws/package/compile/events/api-gateway/lib/hack/update-stage.js') as {
  updateStage: (this: unknown) => Promise<unknown>;
};
const Utils = require('osls/lib/classes/utils.js') as new (serverless: unknown) => object;

/** Runs osls's own step after a deployment. @throws Error where it would call API Gateway */
const afterDeploymentOf = (template: Template): Promise<unknown> =>
  updateStage.call({
    state: { service: { provider: { tags: { service: 'mysafe-enable' }, tracing: { lambda: true } }, functions: {} } },
    serverless: { service: { provider: { compiledCloudFormationTemplate: template } }, utils: new Utils({}) },
    provider: {
      getAccountInfo: async () => ({ accountId: '123456789012', partition: 'aws' }),
      getAwsSdkV3Config: async () => {
        throw new Error('osls calls API Gateway');
      },
      naming: { getApiGatewayName: () => 'dev-mysafe-enable' },
    },
  });

test('after a deployment osls finds no API to touch, and asks for none: as shipped', async () => {
  await expect(afterDeploymentOf(await compile({}))).resolves.toBeNull();
});

test('after a deployment osls finds no API to touch, and asks for none: with HTTPS', async () => {
  const template = await compile({ https: 'true' });
  await expect(afterDeploymentOf(template)).resolves.toBeNull();
  // Or the check above would hold for any template: a Ref is what osls looks for.
  const [name, deployment] = Object.entries(template.Resources).find(([id]) => id.startsWith('HttpsDeployment'))!;
  const withRef = { ...deployment, Properties: { RestApiId: { Ref: 'HttpsApi' } } };
  const found = { ...template, Resources: { ...template.Resources, [name]: withRef } };
  await expect(afterDeploymentOf(found)).rejects.toThrow('osls calls API Gateway');
});
