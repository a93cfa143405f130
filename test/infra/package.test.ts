/** The packaged zips: the same bytes each time, nothing in them but the bundle, and they run in Lambda's runtime client. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { batchResponse, startWorld } from '../../infra/local/world.ts';
import { startRuntime } from '../runtime/runtime.ts';
import { COMBINATIONS } from './combinations.ts';
import { packageByCommand, packaged, TEMPLATE_FILE } from './compile.ts';

const ZIPS = ['enable-password.zip', 'replay-dead-letters.zip'];

/** A folder that is gone afterwards. */
const makeFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mysafe-enable-package-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
};

test('the same commit gives the same bytes, whether the command packages it or our tests do', async () => {
  await using made = await makeFolder();
  const parameters = COMBINATIONS['with everything, FIFO']!;
  await packageByCommand(parameters, made.folder);
  const folder = await packaged(parameters);
  for (const file of ZIPS) {
    // Not the bytes themselves: a difference would be printed whole.
    const isSame = (await readFile(join(folder, file))).equals(await readFile(join(made.folder, file)));
    expect(isSame, file).toBe(true);
  }
  // The framework names the place of the code by the time of its upload.
  const read = async (from: string) =>
    (await readFile(join(from, TEMPLATE_FILE), 'utf8')).replaceAll(/\d{13}-\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<now>');
  expect(JSON.parse(await read(folder))).toEqual(JSON.parse(await read(made.folder)));
});

test('each bundle is ASCII alone: one other letter would have it read at twice its size at every cold start', async () => {
  for (const zip of ZIPS) {
    const [bundle = new Uint8Array([255])] = Object.values(unzipSync(await readFile(join(await packaged({}), zip))));
    expect(
      bundle.every((byte) => byte < 128),
      zip,
    ).toBe(true);
  }
});

test('each zip holds its bundle and nothing else, and runs as it is unpacked', async () => {
  await using unpacked = await makeFolder();
  for (const zip of ZIPS) {
    const files = unzipSync(await readFile(join(await packaged({}), zip)));
    expect(Object.keys(files)).toEqual([`dist/${zip.replace('.zip', '')}/index.mjs`]);
    for (const [name, content] of Object.entries(files)) {
      const file = join(unpacked.folder, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }
  await using world = await startWorld({ passwords: { 10: 'disabled' } });
  await using runtime = await startRuntime({
    taskRoot: unpacked.folder,
    handler: 'dist/enable-password/index.handler',
    env: world.environment,
  });
  await world.send(10);
  const result = await runtime.invoke({ Records: await world.receiveRecords() });
  expect(batchResponse(result)).toEqual({ batchItemFailures: [] });
  expect(world.segura.passwords.get('10')).toBe('active');
});
