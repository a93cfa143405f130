/** `completion`: what the scripts offer, asked of the shell itself where it is there. */
import { execFileSync, spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from 'vitest';
import { longName } from '../../functions/cli/command.ts';
import { ROOMS } from '../../functions/cli/rooms.ts';
import { runCommand } from './command.ts';

const scripts = new Map<string, string>();

beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) scripts.set(shell, (await runCommand(['completion', shell])).stdout);
});

const isInstalled = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

/** What bash offers after these words, the last of which is being typed. */
const offers = (...words: readonly string[]): string[] => {
  const all = ['mysafe-enable', ...words].map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${all}); COMP_CWORD=${words.length}; _mysafe_enable; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const text = execFileSync('bash', ['-c', `${scripts.get('bash')}\n${ask}`], { encoding: 'utf8' });
  return text.split('\n').filter(Boolean);
};

describe('bash', () => {
  test('offers commands, then those below them, then options', () => {
    expect(offers('')).toEqual([...ROOMS.map(({ name }) => name), '--help']);
    expect(offers('tr')).toEqual(['trace']);
    expect(offers('dead-letters', '')).toEqual(expect.arrayContaining(['list', 'replay', 'discard']));
    expect(offers('dead-letters', 'replay', '--dr')).toEqual(['--dry-run']);
    expect(offers('completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
  });

  test('offers what an option takes, also by its letter', () => {
    expect(offers('dead-letters', 'list', '--queue', '')).toEqual(['rejected', 'exhausted']);
    expect(offers('dead-letters', 'list', '-q', 'e')).toEqual(['exhausted']);
    expect(offers('report', '--format', '')).toEqual(['csv', 'jsonl']);
  });
});

describe.each(['bash', 'zsh', 'fish'])('the script for %s', (shell) => {
  test('knows every option of every command', () => {
    const script = scripts.get(shell) ?? '';
    for (const room of ROOMS) {
      for (const { options } of room.kind === 'command' ? [room] : room.commands) {
        for (const name of Object.keys(options)) {
          expect(script).toContain(shell === 'fish' ? ` -l ${longName(name).slice(2)}` : longName(name));
        }
      }
    }
  });

  test.skipIf(!isInstalled(shell))('is good to the shell', () => {
    const { status, stderr } = spawnSync(shell, ['-n'], { input: scripts.get(shell), encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });
});

test('a shell that nobody knows is wrong usage', async () => {
  expect((await runCommand(['completion', 'tcsh'])).status).toBe(2);
  expect((await runCommand(['completion'])).status).toBe(2);
});
