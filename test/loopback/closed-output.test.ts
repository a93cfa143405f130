/** The built function with a standard output that nobody reads any more: its messages matter, its log does not. */
import { expect, test } from 'vitest';
import { startWorld } from '../../infra/local/world.ts';

const PASSWORDS = [1, 2, 3, 4, 5, 6];
const disabled = Object.fromEntries(PASSWORDS.map((identifier) => [identifier, 'disabled' as const]));

test('a closed standard output ends neither the batch nor the function', async () => {
  await using world = await startWorld({
    passwords: { ...disabled, 20: 'disabled' },
    // One after the other, so that the pipe breaks in the middle of the batch.
    env: { SEGURA_CONCURRENCY: '1' },
    onLine: ({ message }) => {
      if (message === 'password enable') world.lambda.closeOutput();
    },
  });
  world.segura.settings.faultFor = () => ({ kind: 'slow', ms: 50 });
  world.segura.always(20, { kind: 'fixture', name: 'kong-acl-forbidden' });
  for (const identifier of PASSWORDS) await world.send(identifier);
  const forbidden = await world.send(20);
  await world.send(99);
  await world.send('please enable 10');

  const { kept, result } = await world.deliver();
  expect(result.functionError).toBeUndefined();
  expect(kept).toEqual([forbidden]);
  expect(PASSWORDS.map((identifier) => world.segura.passwords.get(String(identifier)))).toEqual(
    PASSWORDS.map(() => 'active'),
  );
  const codes = world.messages('rejected').map(({ messageAttributes }) => messageAttributes['ErrorCode']?.StringValue);
  expect(codes.toSorted()).toEqual(['1005', 'InvalidMessage']);
  expect(world.messages('requests')).toMatchObject([{ messageId: forbidden }]);
  // Else all had been written before the pipe broke.
  expect(world.auditLines().length).toBeLessThan(PASSWORDS.length);

  world.segura.passwords.set('7', 'disabled');
  await world.send(7);
  expect((await world.deliver()).kept).toEqual([]);
  expect(world.segura.passwords.get('7')).toBe('active');
  expect(world.lambda.starts()).toBe(1);
});
