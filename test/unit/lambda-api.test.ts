/** Lambda's API in the local world. */
import { expect, test } from 'vitest';
import { createLambdaApi } from '../../infra/local/lambda-api.ts';

test.each([
  [false, 'Enabled', 'Disabling'],
  [true, 'Disabled', 'Enabling'],
])('an update of the mapping answers that it has begun, as AWS does: Enabled %s', (Enabled, before, expected) => {
  const api = createLambdaApi({ mappingState: () => before });
  const url = new URL(`http://local/2015-03-31/event-source-mappings/${api.mapping.uuid}`);
  const answer = api.answer({ method: 'PUT', url, body: JSON.stringify({ Enabled }) });
  expect(answer).toMatchObject({ status: 202, value: { State: expected } });
});
