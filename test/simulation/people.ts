/** Those who send requests, and those who change passwords and secrets meanwhile. */
import type { MessageAttribute, Queue } from '../../infra/local/queue.ts';
import type { Clock } from '../virtual-time/clock.ts';
import type { AwsModel } from './aws.ts';
import type { Ledger, Random, Story } from './ledger.ts';
import type { PasswordState, SeguraModel } from './segura.ts';
import { between, HOUR, pick, type Weather } from './weather.ts';

export interface PeopleParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly weather: Weather;
  readonly ledger: Ledger;
  readonly requests: Queue;
  readonly segura: SeguraModel;
  readonly aws: AwsModel;
}

export interface Sending {
  readonly messages: number;
  readonly spreadMs: number;
  /** Only requests that can be carried out, and that can wait. */
  readonly isOutage: boolean;
}

const STATES: readonly PasswordState[] = [
  ...Array<PasswordState>(14).fill('disabled'),
  'active',
  'active',
  'unknown',
  'unknown',
  'no-access',
  'no-access',
  'invalid',
];
/** How long, at most, until a request with `notAfter` must not be carried out any more: some end while they are tried. */
const PATIENCE_MS = [10_000, 60_000, HOUR];
const MESSAGES_PER_GROUP = 20;
/** Some replayed requests are too old to be carried out. */
const MAX_REPLAYED_AGE_MS = 130 * HOUR;

const text = (StringValue: string): MessageAttribute => ({ DataType: 'String', StringValue });

const bodyOf = (identifier: number, notAfter: number | undefined, random: Random): string => {
  const request = { identifier, requestedBy: 'alice', reason: 'incident' };
  if (notAfter !== undefined) return JSON.stringify({ ...request, notAfter: new Date(notAfter).toISOString() });
  return pick(random, [
    String(identifier),
    JSON.stringify(String(identifier)),
    JSON.stringify(request),
    JSON.stringify({ Type: 'Notification', Message: JSON.stringify(request) }),
    JSON.stringify({ 'detail-type': 'approved', detail: request }),
  ]);
};

/** How many come at once: single approvals, a team, a whole department. */
const BURSTS = [1, 1, 1, 5, 50];

/** What is said of one request from the outset; the rest is drawn. */
export interface RequestOptions {
  readonly groupId: string;
  /** That can be carried out, and can wait. */
  readonly isPlain: boolean;
}

/** Sends one request; `index` counts from 0 and makes its identifier. */
export const createRequest =
  ({ clock, random, ledger, requests, segura }: PeopleParts) =>
  (index: number, { groupId, isPlain }: RequestOptions): void => {
    const identifier = index + 1;
    const now = clock.now();
    const isInvalid = !isPlain && random() < 0.01;
    const notAfter =
      !isPlain && random() < 0.05 ? Math.floor(now + between(random, 1000, pick(random, PATIENCE_MS))) : undefined;
    const isReplayed = !isPlain && random() < 0.03;
    const messageId = `message-${identifier}`;
    const body = isInvalid ? 'please' : bodyOf(identifier, notAfter, random);
    const story: Story = {
      messageId,
      originalMessageId: isReplayed ? `original-${identifier}` : messageId,
      identifier,
      index,
      groupId,
      body,
      isInvalid,
      firstSentAt: Math.floor(isReplayed ? now - random() * MAX_REPLAYED_AGE_MS : now),
      sentAt: now,
      notAfter,
      letters: [],
      isEnabled: false,
      isDeleted: false,
      isExhausted: false,
      receives: 0,
      crashes: 0,
      trace: [],
    };
    const attributes: Readonly<Record<string, MessageAttribute>> = isReplayed
      ? {
          OriginalMessageId: text(story.originalMessageId),
          FirstSentAt: text(new Date(story.firstSentAt).toISOString()),
          ReplayCount: text('1'),
        }
      : {};
    ledger.add(story);
    segura.passwords.set(identifier, isPlain ? 'disabled' : pick(random, STATES));
    requests.put({ messageId, groupId, body, attributes, senderId: 'sender' });
  };

/** Sends all messages, in bursts, evenly over the time on the whole. */
export const createProducer = (parts: PeopleParts) => {
  const { clock, random } = parts;
  const request = createRequest(parts);
  const groupOf = (messages: number): string =>
    `group-${Math.floor(random() * Math.max(1, messages / MESSAGES_PER_GROUP))}`;

  return async (sending: Sending): Promise<void> => {
    const { messages, spreadMs } = sending;
    const startsAt = clock.now();
    const bursts: { readonly at: number; readonly size: number }[] = [];
    for (let left = messages; left > 0; ) {
      const size = Math.min(left, pick(random, BURSTS));
      bursts.push({ at: startsAt + Math.floor(random() * spreadMs), size });
      left -= size;
    }
    let index = 0;
    for (const { at, size } of bursts.sort((a, b) => a.at - b.at)) {
      await clock.sleep(at - clock.now());
      for (const until = index + size; index < until; index += 1) {
        request(index, { groupId: groupOf(messages), isPlain: sending.isOutage });
      }
    }
  };
};

/** Revokes tokens, rotates the client's secret in every order, gives access to passwords and takes it, until all is calm. */
export const createSaboteur = ({ clock, random, weather, segura, aws }: PeopleParts) => {
  let rotations = 0;

  const rotate = async (): Promise<void> => {
    rotations += 1;
    const next = `hush-secret-${rotations}`;
    const before = aws.secret.current;
    const lagMs = pick(random, [0, 20_000, 60_000, 600_000]);
    aws.secret.pending = next;
    const change = pick(random, ['segura-first', 'store-first', 'overlap']);
    if (change !== 'store-first') segura.secrets.add(next);
    if (change !== 'overlap') segura.secrets.delete(before);
    if (change === 'store-first') {
      segura.secrets.add(before);
      aws.secret.current = next;
    }
    if (random() < 0.5) segura.revokeTokens();
    await clock.sleep(lagMs);
    aws.secret.current = next;
    aws.secret.pending = undefined;
    segura.secrets.add(next);
    await clock.sleep(change === 'overlap' ? lagMs : 0);
    segura.secrets.delete(before);
  };

  const mend = (): void => {
    for (const [identifier, state] of segura.passwords) {
      if (random() > 0.02) continue;
      if (state === 'unknown' || state === 'no-access') segura.passwords.set(identifier, 'disabled');
      if (state === 'disabled') segura.passwords.set(identifier, 'no-access');
    }
  };

  return async (): Promise<void> => {
    for (let turn = 0; turn < weather.rotations; turn += 1) {
      await clock.sleep(between(random, 0, 0.3 * HOUR));
      // Whatever is begun is over when calm returns.
      if (clock.now() > weather.calmAt - 0.5 * HOUR) return;
      mend();
      if (random() < 0.3) segura.revokeTokens();
      else await rotate();
    }
  };
};
