/** The built bundle in AWS's own runtime client: what loads here loads in Lambda. */
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { bundleOf } from '../../infra/local/lambda.ts';
import { batchResponse, startWorld } from '../../infra/local/world.ts';
import { startRuntime } from './runtime.ts';

const taskRoot = dirname(bundleOf('enable-password'));

test('Node is the version that Lambda runs', () => {
  expect(process.version).toMatch(/^v24\./);
});

test('a batch is carried out: enabled, rejected, kept', async () => {
  await using world = await startWorld({ passwords: { 10: 'disabled', 11: 'disabled' } });
  world.segura.always(11, { kind: 'fixture', name: 'kong-acl-forbidden' });
  await using runtime = await startRuntime({ taskRoot, env: world.environment });
  await Promise.all([world.send(10), world.send(99)]);
  const kept = await world.send(11);
  const records = await world.receiveRecords();
  const result = await runtime.invoke({ Records: records });
  expect(batchResponse(result)).toEqual({ batchItemFailures: [{ itemIdentifier: kept }] });
  expect(world.segura.passwords.get('10')).toBe('active');
  expect(world.messages('rejected').map(({ body }) => body)).toEqual(['99']);
  const lines = runtime
    .output()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  expect(lines.filter(({ message }) => message === 'password enable')).toHaveLength(3);
  expect(lines.some(({ _aws }) => _aws)).toBe(true);
});

/** Enables one password and prints what of Node.js itself that took; the runtime client would load more. */
const LOADED = `
  const [bundle, records] = process.argv.slice(1);
  const { handler } = await import(bundle);
  await handler({ Records: JSON.parse(records) }, {});
  console.log(process.moduleLoadList.join('\\n'));
  process.exit();`;

test('of Node.js itself, a start loads what the first message needs', async () => {
  await using world = await startWorld({ passwords: { 10: 'disabled' } });
  await world.send(10);
  const records = JSON.stringify(await world.receiveRecords());
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', LOADED, bundleOf('enable-password'), records],
    { env: world.environment },
  );
  expect(world.segura.passwords.get('10')).toBe('active');
  expect(stdout).toMatch(/^NativeModule _http_client$/m);
  expect(stdout).not.toMatch(/^NativeModule (internal\/fs\/(promises|streams)|internal\/webstreams\/.+|zlib)$/m);
});

test('an event of another kind is a function error', async () => {
  await using world = await startWorld();
  await using runtime = await startRuntime({ taskRoot, env: world.environment });
  expect((await runtime.invoke({ detail: {} })).functionError).toMatch(/TypeError: This is not an SQS event/);
  expect(batchResponse(await runtime.invoke({ Records: [] }))).toEqual({ batchItemFailures: [] });
});

test('a missing variable is an init error that names it', async () => {
  await using world = await startWorld();
  const { SOURCE_QUEUE_URL: _, ...env } = world.environment;
  await using runtime = await startRuntime({ taskRoot, env });
  expect(runtime.initError?.errorMessage).toMatch(/SOURCE_QUEUE_URL is missing/);
});

test('a secret that cannot be read at start does not end the process', async () => {
  await using world = await startWorld({ passwords: { 10: 'disabled' } });
  world.secrets.next('denied');
  await using runtime = await startRuntime({ taskRoot, env: world.environment });
  await world.send(10);
  const result = await runtime.invoke({ Records: await world.receiveRecords() });
  expect(batchResponse(result)).toEqual({ batchItemFailures: [] });
});
