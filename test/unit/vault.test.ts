/** The secret in use: read once for all, again when suspected or old, and the last good one kept. */
import { describe, expect, test } from 'vitest';
import type { SecretValue } from '../../functions/aws/secret-value.ts';
import { SECRET_MAX_AGE_MS, SUSPECT_AGAIN_MS, type Vault } from '../../functions/segura/vault.ts';
import { createStage, finish, secretText } from './stage.ts';

const read = (changes: object = {}): SecretValue => ({ kind: 'read', text: secretText(changes) });
const unreadable: SecretValue = { kind: 'failed', code: 'ThrottlingException', detail: 'slow down' };
type Given = SecretValue & { readonly tookMs?: number };

/** One answer of Secrets Manager after the other, the last for good. */
const open = (...answers: readonly Given[]) => {
  const stage = createStage({ secret: (nth) => answers[Math.min(nth, answers.length) - 1]! });
  const { vaults, clock } = stage;
  return {
    ...stage,
    current: (timeoutMs = 10_000) => finish(clock, vaults.current(timeoutMs)),
    suspect: (vault: Vault, timeoutMs = 10_000) => finish(clock, vaults.suspect(vault, timeoutMs)),
  };
};
const vaultOf = (result: { readonly vault?: Vault }): Vault => {
  if (!result.vault) throw new Error('no vault');
  return result.vault;
};

test('is read once for all who wait, and not again', async () => {
  const { vaults, clock, secretReads, current } = open(read());
  const results = await finish(clock, Promise.all([vaults.current(1000), vaults.current(1000)]));
  expect(new Set(results.map((result) => vaultOf(result as never))).size).toBe(1);
  await current();
  expect(secretReads()).toBe(1);
});

describe('that cannot be read', () => {
  test('says why, and is read again by the next who asks', async () => {
    const { current, secretReads, secretFailures } = open(unreadable, read());
    expect(await current()).toEqual({ kind: 'no-vault', code: 'ThrottlingException', detail: 'slow down' });
    expect((await current()).kind).toBe('vault');
    expect(secretReads()).toBe(2);
    expect(secretFailures).toEqual(['ThrottlingException']);
  });

  test('because it is malformed, says what to fix', async () => {
    const { current, secretFailures } = open(read({ clientId: '' }));
    expect(await current()).toMatchObject({
      code: 'SECRET_MALFORMED',
      detail: expect.stringMatching(/clientId must be a non-empty string/),
    });
    expect(secretFailures).toEqual(['SECRET_MALFORMED']);
  });

  test('because the store hangs, ends with the time that was given', async () => {
    const { current, clock } = open({ ...read(), tookMs: Number.POSITIVE_INFINITY });
    const startedAt = clock.now();
    expect(await current(3000)).toMatchObject({ kind: 'no-vault', code: 'ETIMEDOUT' });
    expect(clock.now() - startedAt).toBe(3000);
  });
});

describe('a read that began earlier, perhaps before a freeze', () => {
  test('is waited for no longer than there is time now', async () => {
    const { vaults, current, clock } = open({ ...read(), tookMs: Number.POSITIVE_INFINITY });
    const early = vaults.current(60_000);
    const startedAt = clock.now();
    expect(await current(2000)).toMatchObject({ kind: 'no-vault', code: 'ETIMEDOUT' });
    expect(clock.now() - startedAt).toBe(2000);
    await finish(clock, early);
  });

  test('and fails, is followed by one of our own in what is left', async () => {
    const { vaults, current, clock, secretReads } = open({ ...unreadable, tookMs: 500 }, read());
    const early = vaults.current(3000);
    expect((await current(2000)).kind).toBe('vault');
    expect(secretReads()).toBe(2);
    await finish(clock, early);
  });

  test('and fails, is followed by one read for all who waited', async () => {
    const { vaults, clock, secretReads } = open({ ...unreadable, tookMs: 500 }, read());
    const early = vaults.current(3000);
    const results = await finish(clock, Promise.all([vaults.current(2000), vaults.current(2000), early]));
    expect(results.map(({ kind }) => kind)).toEqual(['vault', 'vault', 'no-vault']);
    expect(secretReads()).toBe(2);
  });

  test('is used as it comes', async () => {
    const { vaults, current, secretReads } = open({ ...read(), tookMs: 500 });
    void vaults.current(3000);
    expect((await current(2000)).kind).toBe('vault');
    expect(secretReads()).toBe(1);
  });
});

describe('that is suspected', () => {
  test('is read again; another version is opened, and the connections of the old one are closed', async () => {
    const { current, suspect, vaults, closed } = open(read(), read({ clientSecret: 'rotated' }));
    const first = vaultOf((await current()) as never);
    expect(await suspect(first)).toBe(true);
    expect(vaults.inForce()?.secret.clientSecret.reveal()).toBe('rotated');
    expect(closed()).toBe(1);
  });

  test('and is still the same, stays in force', async () => {
    const { current, suspect, vaults, closed } = open(read());
    const first = vaultOf((await current()) as never);
    expect(await suspect(first)).toBe(false);
    expect([vaults.inForce(), closed()]).toEqual([first, 0]);
  });

  test('is read once for all who suspect it at once, and not again within 30 s', async () => {
    const { current, vaults, clock, suspect, pass, secretReads } = open(read());
    const first = vaultOf((await current()) as never);
    await finish(clock, Promise.all(Array.from({ length: 5 }, () => vaults.suspect(first, 10_000))));
    expect(secretReads()).toBe(2);
    const readAt = clock.now();
    await pass(SUSPECT_AGAIN_MS - 11 - (clock.now() - readAt));
    expect([await suspect(first), secretReads()]).toEqual([false, 2]);
    await pass(1);
    await suspect(first);
    expect(secretReads()).toBe(3);
  });

  test('at once after it had changed is read again: the next fix counts at once too', async () => {
    const { current, suspect, vaults, secretReads } = open(read(), read({ clientId: 'b' }), read({ clientId: 'c' }));
    const first = vaultOf((await current()) as never);
    await suspect(first);
    expect(await suspect(vaults.inForce()!)).toBe(true);
    expect([vaults.inForce()?.secret.clientId, secretReads()]).toEqual(['c', 3]);
  });

  test('late, when another one is in force already, is not read again', async () => {
    const { current, suspect, secretReads } = open(read(), read({ clientSecret: 'rotated' }));
    const first = vaultOf((await current()) as never);
    await suspect(first);
    expect([await suspect(first), secretReads()]).toEqual([true, 2]);
  });

  test('with no time left is not read', async () => {
    const { current, suspect, secretReads } = open(read());
    const first = vaultOf((await current()) as never);
    expect([await suspect(first, 0), secretReads()]).toEqual([false, 1]);
  });

  test('while Secrets Manager hangs, takes no more than three seconds from the calls', async () => {
    const { current, suspect, clock } = open(read(), { ...read(), tookMs: Number.POSITIVE_INFINITY });
    const first = vaultOf((await current()) as never);
    const startedAt = clock.now();
    expect(await suspect(first, 60_000)).toBe(false);
    expect(clock.now() - startedAt).toBe(3000);
  });

  test.each([
    ['cannot be reached', unreadable],
    ['holds something malformed', { kind: 'read', text: 'x' } as const],
  ])('while Secrets Manager %s, the last good one stays', async (_, then) => {
    const { current, suspect, vaults, secretFailures } = open(read(), then);
    const first = vaultOf((await current()) as never);
    expect(await suspect(first)).toBe(false);
    expect(vaults.inForce()).toBe(first);
    expect(secretFailures).toHaveLength(1);
  });
});

describe('that has grown older than an hour', () => {
  test('is read again, so that a moved URL is noticed without a refusal', async () => {
    const { current, pass, secretReads } = open(read(), read({ url: 'https://moved.example.com' }));
    await current();
    await pass(SECRET_MAX_AGE_MS);
    await current();
    expect(secretReads()).toBe(1);
    await pass(1);
    expect(vaultOf((await current()) as never).secret.url.host).toBe('moved.example.com');
    await current();
    expect(secretReads()).toBe(2);
  });

  test('and cannot be read, stays in force', async () => {
    const { current, pass } = open(read(), unreadable);
    const first = vaultOf((await current()) as never);
    await pass(SECRET_MAX_AGE_MS + 1);
    expect(vaultOf((await current()) as never)).toBe(first);
  });

  test('and hangs, does not take the time from the calls: the last good one is at hand', async () => {
    const { current, pass, clock } = open(read(), { ...read(), tookMs: Number.POSITIVE_INFINITY });
    const first = vaultOf((await current()) as never);
    await pass(SECRET_MAX_AGE_MS + 1);
    const startedAt = clock.now();
    expect(vaultOf((await current(60_000)) as never)).toBe(first);
    expect(clock.now() - startedAt).toBe(3000);
    // Nor is it asked for again at once.
    await current(60_000);
    expect(clock.now() - startedAt).toBe(3000);
  });
});
