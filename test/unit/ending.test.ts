/** How a command ends that could not do its work: what is told, to people and to machines. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { isAwsFailure } from '../../functions/aws/failure.ts';
import { createFile } from '../../functions/cli/new-file.ts';
import { readEnding } from '../../functions/cli/terminal/ending.ts';
import { UsageError } from '../../functions/cli/terminal/usage.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'ending-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a real call threw. */
const thrownBy = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => {
      throw new Error('it worked');
    },
    (error: Error) => error,
  );

describe('a failure of the file system', () => {
  test('is told as one, with the file and what to do, and AWS is not blamed', async () => {
    const missing = join(folder, 'nowhere', 'requests.csv');
    const error = await thrownBy(readFile(missing));
    expect(isAwsFailure(error)).toBe(false);
    expect(readEnding(error)).toEqual({
      code: 'ENOENT',
      message: `${missing}: no such file or directory`,
      fix: 'check the path: the file or its folder is not there',
      status: 1,
    });
  });

  test('of a full disk says to make room', async () => {
    const ending = readEnding(await thrownBy(writeFile('/dev/full', 'x')));
    expect(ending).toMatchObject({ code: 'ENOSPC', status: 1 });
    expect(ending.message).toContain('no space left on device');
    expect(ending.fix).toContain('make room on the disk');
  });

  test.each([
    ['EACCES', 'write to'],
    ['EROFS', 'can be written to'],
    ['EISDIR', 'not a folder'],
    ['EIO', 'check the file and its disk'],
  ])('%s says what to name instead', (code, words) => {
    const error = Object.assign(new Error(`${code}: refused, open '/x'`), {
      code,
      errno: -5,
      syscall: 'open',
      path: '/x',
    });
    expect(readEnding(error)).toMatchObject({ code, status: 1, message: expect.stringMatching(/^\/x: /) });
    expect(readEnding(error).fix).toContain(words);
  });
});

test.each([['ECONNREFUSED'], ['ENOTFOUND'], ['ECONNRESET'], ['EPIPE'], ['CERT_HAS_EXPIRED'], ['HPE_INVALID_CONSTANT']])(
  '%s of the network is a failure on the way to AWS',
  (code) => {
    const error = Object.assign(new Error(code), { code, errno: -1, syscall: 'connect' });
    expect(isAwsFailure(error)).toBe(true);
    expect(readEnding(error)).toMatchObject({ code, status: 1 });
  },
);

test('a call that we made wrongly is a bug of ours, although Node.js gives it a code', () => {
  const error = Object.assign(new TypeError('The "path" argument must be a string'), { code: 'ERR_INVALID_ARG_TYPE' });
  expect(readEnding(error)).toMatchObject({ code: 'Bug', status: 1 });
});

describe('a new file', () => {
  test('that is there already is wrong usage, and stays as it is', async () => {
    const path = join(folder, 'there.csv');
    await writeFile(path, 'old');
    const error = await thrownBy(createFile('--file', path));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toBe(`--file ${path} is there already: name a new file`);
    expect(await readFile(path, 'utf8')).toBe('old');
  });

  test('is written, read by its owner alone, and can be taken away again', async () => {
    const path = join(folder, 'new.csv');
    const file = await createFile('--file', path);
    await file.append('a\n');
    await file.sync();
    await file.close();
    expect(await readFile(path, 'utf8')).toBe('a\n');
    await file.remove();
    await expect(readFile(path)).rejects.toThrow('ENOENT');
  });

  test('that grows too large is named in the failure, though the system names none', async () => {
    const path = join(folder, 'large.csv');
    const script = `
      import { createFile } from '${join(root, 'functions/cli/new-file.ts')}';
      import { readEnding } from '${join(root, 'functions/cli/terminal/ending.ts')}';
      const file = await createFile('--file', '${path}');
      await file.append('x'.repeat(1_000_000)).catch((error) => console.log(JSON.stringify(readEnding(error))));
    `;
    // A limit of the shell, since no disk is full here: files of at most a few kilobytes, and a write beyond it is refused.
    const limited = `trap '' XFSZ; ulimit -f 8; exec "$0" --input-type=module --eval "$1"`;
    const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath, script]);
    expect(JSON.parse(stdout)).toMatchObject({ code: 'EFBIG', message: `${path}: file too large`, status: 1 });
  });
});
