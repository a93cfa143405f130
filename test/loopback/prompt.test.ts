/** The questions before pause, replay and discard, at a real pseudo terminal: what each key means, and how it ends. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { drawn } from '../depth.ts';
import { openAccount } from './account.ts';
import { bundledMain, putLetters, shell } from './command.ts';
import { makeFolder } from './folder.ts';

let main = '';
beforeAll(async () => {
  main = await bundledMain();
});
/** Of util-linux, which gives a command a terminal; others of this name take other options. */
const isInstalled = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true;

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const HANGS_UP = '';

/** Answers once the question is there. */
const answerWith = (words: string, key: string, env: Readonly<Record<string, string>>) =>
  new Promise<{ readonly status: number | null; readonly shown: string }>((resolve) => {
    const command = `stty cols 100 rows 40; exec "${process.execPath}" "${main}" ${words}`;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: { ...shell(), TERM: 'xterm', SHELL: '/bin/sh', ...env },
    });
    let shown = '';
    let isAnswered = false;
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
      if (isAnswered || !(shown.includes('Yes') && shown.includes('No'))) return;
      isAnswered = true;
      if (key === HANGS_UP) child.stdin.end();
      else child.stdin.write(key);
    });
    child.on('close', (status) => resolve({ status, shown }));
  });

const MEANINGS = [
  ['y', 'yes', 0],
  ['n', 'no', 1],
  ['\r', 'no', 1],
  [CTRL_C, 'nothing', 130],
  [CTRL_D, 'no', 1],
  [HANGS_UP, 'no', 1],
] as const;
const nameOf = (key: string): string =>
  ({ '\r': 'Enter', [CTRL_C]: 'Ctrl-C', [CTRL_D]: 'Ctrl-D', [HANGS_UP]: 'the end of input' })[key] ?? key;

/** The question is one; each key is tried at that of `pause`. */
const CASES = MEANINGS.map(([key, meaning, status]) => [nameOf(key), meaning, status, key] as const);

describe.skipIf(!isInstalled).concurrent('the question of', () => {
  test.each(CASES)('pause, answered by %s, means %s and ends with %i', async (_, meaning, expected, key) => {
    await using account = await openAccount();
    const { status, shown } = await answerWith('pause', key, account.env);
    expect([status, account.account.mapping.state]).toEqual([expected, meaning === 'yes' ? 'Disabled' : 'Enabled']);
    expect(shown).toContain({ yes: 'Delivery is paused', no: 'nothing was changed', nothing: 'interrupted' }[meaning]);
    expect(shown).not.toContain('unsettled');
  });

  test.each(drawn(CASES, 3))(
    'discard, answered by %s, means %s and ends with %i',
    async (_, meaning, expected, key) => {
      await using account = await openAccount();
      await using folder = await makeFolder();
      const { sqs } = account.world;
      await putLetters(sqs, 'rejected', [{ identifier: 10, code: '1006' }]);
      const words = `dead-letters discard --queue rejected --file ${join(folder.path, 'letters.jsonl')}`;
      const { status, shown } = await answerWith(words, key, account.env);
      expect([status, sqs.messages('rejected').length]).toEqual([expected, meaning === 'yes' ? 0 : 1]);
      expect(shown).toContain(meaning === 'yes' ? '1 discarded' : 'Nothing was deleted.');
      // Given back at once, to whoever looks next.
      expect(sqs.messages('rejected').filter(({ isInFlight }) => isInFlight)).toEqual([]);
    },
  );

  test.each(drawn(CASES, 3))('replay, answered by %s, means %s and ends with %i', async (_, meaning, expected, key) => {
    await using account = await openAccount();
    const { sqs } = account.world;
    await putLetters(sqs, 'rejected', [{ identifier: 10, code: '1006' }]);
    const { status, shown } = await answerWith('dead-letters replay', key, account.env);
    expect([status, sqs.messages('requests').length]).toEqual([expected, meaning === 'yes' ? 1 : 0]);
    expect(shown).toContain(meaning === 'yes' ? '1 replayed' : 'Nothing was moved.');
    expect(sqs.messages('rejected').filter(({ isInFlight }) => isInFlight)).toEqual([]);
  });
});
