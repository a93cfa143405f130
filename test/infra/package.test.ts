/** The packaged zips: the same bytes each time, nothing in them but the bundle, and they run in Lambda's runtime client. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { batchResponse, startWorld } from '../../infra/local/world.ts';
import { startRuntime } from '../runtime/runtime.ts';
import { withPackage } from './compile.ts';

const ZIPS = ['enable-password.zip', 'replay-dead-letters.zip'];

test('the same commit gives the same bytes', async () => {
  const digest = () =>
    withPackage({}, (folder) =>
      Promise.all(
        ZIPS.map(async (zip) =>
          createHash('sha256')
            .update(await readFile(join(folder, zip)))
            .digest('hex'),
        ),
      ),
    );
  expect(await digest()).toEqual(await digest());
});

test('each zip holds its bundle and nothing else, and runs as it is unpacked', async () => {
  await withPackage({}, async (folder) => {
    for (const zip of ZIPS) {
      const files = unzipSync(await readFile(join(folder, zip)));
      expect(Object.keys(files)).toEqual([`dist/${zip.replace('.zip', '')}/index.mjs`]);
      for (const [name, content] of Object.entries(files)) {
        const file = join(folder, 'unpacked', name);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
      }
    }
    await using world = await startWorld({ passwords: { 10: 'disabled' } });
    await using runtime = await startRuntime({
      taskRoot: join(folder, 'unpacked'),
      handler: 'dist/enable-password/index.handler',
      env: world.environment,
    });
    await world.send(10);
    const result = await runtime.invoke({ Records: await world.receiveRecords() });
    expect(batchResponse(result)).toEqual({ batchItemFailures: [] });
    expect(world.segura.passwords.get('10')).toBe('active');
  });
});
