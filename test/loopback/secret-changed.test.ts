/**
 * The contract's *A fixed secret*, on the built bundle: an execution environment is warm and works, something changes at
 * Segura, the secret is fixed, and the next invocation goes by it. Nothing is deployed again.
 */
import { describe, expect, test } from 'vitest';
import { createCertificates } from '../../infra/local/certificates.ts';
import { fixture } from '../../infra/local/faults.ts';
import type { World, WorldOptions } from '../../infra/local/world.ts';
import { type Doorway, startDoorway } from './doorway.ts';
import { openWorld } from './in-process-lambda.ts';
import { invokeLater, MOVABLE_CLOCK } from './moved-clock.ts';

const HOUR_MS = 3_600_000;
const DAY_SECONDS = 86_400;

type Changes = Readonly<Record<string, unknown>>;

interface Way {
  readonly name: string;
  readonly world?: WorldOptions;
  /** The secret that works at first. */
  readonly before?: (world: World, doorway: Doorway) => Changes;
  /** What happens at Segura, so that the old secret fails. @returns the secret that works from then on */
  readonly happens: (world: World, doorway: Doorway) => Changes | Promise<Changes>;
}

const WAYS: readonly Way[] = [
  {
    name: 'url',
    before: (_, { url }) => ({ url }),
    happens: async ({ segura }, doorway) => {
      await doorway.close();
      return { url: segura.url };
    },
  },
  {
    name: 'client',
    happens: ({ segura }) => {
      segura.revokeTokens();
      Object.assign(segura.settings, { clientId: 'client-2', clientSecret: 'client-secret-2' });
      return { clientId: 'client-2', clientSecret: 'client-secret-2' };
    },
  },
  {
    name: 'token URL',
    before: (_, { url }) => ({ accessTokenUrl: `${url}/iso/oauth2/token` }),
    happens: async ({ segura }, doorway) => {
      segura.revokeTokens();
      await doorway.close();
      return { accessTokenUrl: segura.tokenUrl };
    },
  },
  {
    name: 'certificate authority',
    world: { tls: 'private-ca' },
    happens: async ({ segura }) => {
      const { ca, server } = await createCertificates();
      segura.showCertificate(server);
      return { caCertificate: ca };
    },
  },
  {
    name: 'client certificate',
    world: { tls: 'mutual' },
    happens: async ({ segura, certificates }) => {
      const { ca, client } = await createCertificates();
      segura.showCertificate(certificates!.server, ca);
      return { clientCertificate: client.cert, clientKey: client.key };
    },
  },
  {
    name: 'referer',
    before: (_, { url }) => ({ url, referer: 'https://old.example' }),
    happens: (_, { url, settings }) => {
      settings.refuses = ({ referer }) =>
        referer === 'https://new.example' ? undefined : fixture('kong-acl-forbidden');
      return { url, referer: 'https://new.example' };
    },
  },
  {
    name: 'host',
    before: (_, { url }) => ({ url: url.replace('127.0.0.1', 'localhost') }),
    happens: (_, { url, settings }) => {
      settings.refuses = ({ host }) => (host?.startsWith('localhost') ? fixture('no-route-kong-3-9-json') : undefined);
      return { url };
    },
  },
  {
    name: 'tenant',
    world: { segura: { tenant: 'acme' } },
    before: () => ({ tokenParameters: { tenant: 'acme' } }),
    happens: ({ segura }) => {
      segura.revokeTokens();
      segura.settings.tenant = 'acme-2';
      return { tokenParameters: { tenant: 'acme-2' } };
    },
  },
];

const startWith = (options: WorldOptions = {}): Promise<World> =>
  openWorld({ ...options, passwords: { 10: 'disabled', 11: 'disabled', 12: 'disabled' } });

describe.concurrent('a fixed secret is used at the next invocation of a warm environment', () => {
  test.for(WAYS)('of which changed: $name', async ({ world: options, before, happens }) => {
    await using world = await startWith(options);
    await using doorway = await startDoorway(world.segura);
    world.secrets.put('mysafe/segura', world.secretValue(before?.(world, doorway)));
    await world.send(10);
    expect((await world.deliver()).kept).toEqual([]);
    const readsBefore = world.secrets.reads.length;

    const fixed = await happens(world, doorway);
    world.secrets.put('mysafe/segura', world.secretValue(fixed));
    await Promise.all([world.send(11), world.send(12)]);
    expect((await world.deliver()).kept).toEqual([]);
    expect([...world.segura.passwords.values()]).toEqual(['active', 'active', 'active']);
    expect(world.secrets.reads.length - readsBefore).toBe(1);
    expect(world.lambda.starts()).toBe(1);
  });

  test('of which changed: anything, after an hour, with a token that is good for a day', async () => {
    const segura = { expiresIn: DAY_SECONDS, tokenLifetimeMs: DAY_SECONDS * 1000 };
    await using world = await startWith({ segura, env: MOVABLE_CLOCK });
    await world.send(10);
    expect((await world.deliver()).kept).toEqual([]);
    world.secrets.put('mysafe/segura', world.secretValue({ referer: 'https://new.example' }));

    await world.send(11);
    expect(await invokeLater(world, HOUR_MS - 60_000)).toEqual([]);
    await world.send(12);
    expect(await invokeLater(world, HOUR_MS + 60_000)).toEqual([]);
    const referers = world.segura.enableCalls().map(({ headers }) => headers['referer']);
    expect(referers).toEqual([undefined, undefined, 'https://new.example']);
    expect(world.secrets.reads).toHaveLength(2);
    expect(world.lambda.starts()).toBe(1);
  });
});

test('a secret that stays wrong is read again at most once in 30 s, and counts as soon as it is fixed after that', async () => {
  await using world = await startWith({ env: MOVABLE_CLOCK, secret: { clientSecret: 'wrong' } });
  await world.send(10);
  expect(await invokeLater(world, 0)).toHaveLength(1);
  await world.send(11);
  expect(await invokeLater(world, 25_000)).toHaveLength(1);
  expect(world.secrets.reads).toHaveLength(2);
  world.secrets.put('mysafe/segura', world.secretValue());
  await world.send(12);
  expect(await invokeLater(world, 35_000)).toEqual([]);
  expect(world.secrets.reads).toHaveLength(3);
  expect(world.segura.passwords.get('12')).toBe('active');
});
