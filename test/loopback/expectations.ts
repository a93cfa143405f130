/** What the contract says of a message, to be asked of a world after a delivery: kept, enabled, rejected, settled. */
import { expect } from 'vitest';
import type { MessageView } from '../../infra/local/sqs.ts';
import type { World } from '../../infra/local/world.ts';

const told = (world: World, field: 'messageId' | 'identifier', value: unknown) =>
  world.auditLines().filter((line) => line[field] === value);

/** Exactly these are still in `requests`, each told as kept, at least once; none became a dead letter. */
export const expectKept = (world: World, ...messageIds: readonly string[]): void => {
  const left = world.messages('requests').map(({ messageId }) => messageId);
  expect(left.toSorted()).toEqual([...messageIds].toSorted());
  for (const messageId of messageIds) {
    expect(told(world, 'messageId', messageId).at(-1)).toMatchObject({ outcome: 'kept' });
    expect(letterOf(world, messageId)).toBeUndefined();
  }
};

/** Nothing is left in `requests`: each message was enabled or rejected, and deleted. */
export const expectSettled = (world: World): void => expectKept(world);

/** The passwords are active, and each was told so once; `already-enabled` where an earlier attempt's answer was lost. */
export const expectEnabled = (world: World, ...identifiers: readonly number[]): void => {
  for (const identifier of identifiers) {
    expect(world.segura.passwords.get(String(identifier))).toBe('active');
    expect(told(world, 'identifier', identifier).filter(({ outcome }) => outcome !== 'kept')).toMatchObject([
      { outcome: expect.stringMatching(/^(already-)?enabled$/) },
    ]);
  }
};

const letterOf = (world: World, messageId: string): MessageView | undefined =>
  world
    .messages('rejected')
    .find(({ messageAttributes }) => messageAttributes['OriginalMessageId']?.StringValue === messageId);

/** It is in `rejected` with this code, told so once, and no longer in `requests`. @returns the dead letter */
export const expectRejected = (world: World, messageId: string, errorCode: string): MessageView => {
  const letter = letterOf(world, messageId);
  expect(letter?.messageAttributes['ErrorCode']?.StringValue).toBe(errorCode);
  expect(told(world, 'messageId', messageId)).toMatchObject([{ outcome: 'rejected', errorCode }]);
  expect(world.messages('requests').map((each) => each.messageId)).not.toContain(messageId);
  if (!letter) throw new Error(`no dead letter of ${messageId}`);
  return letter;
};

/** Segura was not asked at all, not even for a token. */
export const expectNoCall = (world: World): void => expect(world.segura.journal).toEqual([]);
