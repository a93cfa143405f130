/**
 * Laws of a replay under generated faults: whatever SQS does, no chosen letter is lost, no other moves, and what the
 * counts say is true. SQS is a model here, in virtual time, so that thousands of runs with faults take a second.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { COMMAND_PATIENCE } from '../../functions/aws/attempts.ts';
import { type Attribute, type Attributes, text as toText } from '../../functions/aws/message.ts';
import { createSqs } from '../../functions/aws/sqs.ts';
import { deadLetterAttributes, readLetter } from '../../functions/dead-letters/letter.ts';
import type { ReplayOptions } from '../../functions/dead-letters/plan.ts';
import { replay } from '../../functions/dead-letters/replay.ts';
import { isSelected } from '../../functions/dead-letters/select.ts';
import { readProvenance } from '../../functions/requests/provenance.ts';
import { runs } from '../depth.ts';

const DEAD = 'https://sqs.eu-west-1.amazonaws.com/1/rejected';
const REQUESTS = 'https://sqs.eu-west-1.amazonaws.com/1/requests';
const NOW = Date.parse('2026-11-23T00:00:00Z');
const HOUR_MS = 3_600_000;

type Fault = 'none' | 'throttled' | 'server' | 'denied' | 'entries' | 'lost' | 'slow';
type Wire = Record<string, { DataType: string; StringValue: string }>;

interface Lying {
  readonly id: string;
  readonly body: string;
  readonly attributes: Wire;
  visibleAt: number;
  handle: number;
}
interface Sent {
  readonly body: string;
  readonly attributes: Wire;
}
interface Input {
  readonly QueueUrl: string;
  readonly MaxNumberOfMessages?: number;
  readonly VisibilityTimeout?: number;
  readonly Entries?: readonly {
    readonly Id: string;
    readonly MessageBody: string;
    readonly MessageAttributes: Wire;
    readonly ReceiptHandle: string;
    readonly VisibilityTimeout: number;
  }[];
}

const sdkError = (name: string, fault: 'client' | 'server') =>
  Object.assign(new Error('simulated'), { name, $fault: fault, $metadata: {} });

/** A standard queue as AWS describes it, one more to send to, and a fault for each call in turn. */
const createModel = (
  letters: readonly Omit<Lying, 'visibleAt' | 'handle'>[],
  faults: readonly Fault[],
  /** The letter that a request becomes at once when it is sent, where it fails again. */
  failAgain?: (sent: Sent) => Wire,
) => {
  let now = NOW;
  let calls = 0;
  let handles = 0;
  const lying = new Map(letters.map((letter) => [letter.id, { ...letter, visibleAt: 0, handle: 0 } as Lying]));
  const sent: Sent[] = [];
  const sentAt: number[] = [];

  const receive = ({ MaxNumberOfMessages = 1, VisibilityTimeout = 30 }: Input) => {
    const visible = [...lying.values()].filter(({ visibleAt }) => visibleAt <= now).slice(0, MaxNumberOfMessages);
    if (visible.length === 0) now += 1000; // the long poll
    return {
      Messages: visible.map((letter) => {
        handles += 1;
        letter.handle = handles;
        letter.visibleAt = now + VisibilityTimeout * 1000;
        return {
          MessageId: letter.id,
          Body: letter.body,
          ReceiptHandle: `${letter.id}/${letter.handle}`,
          MessageAttributes: letter.attributes,
          Attributes: { SentTimestamp: String(NOW - HOUR_MS) },
        };
      }),
    };
  };

  const byHandle = (receiptHandle: string): Lying | undefined => {
    const [id = '', handle] = receiptHandle.split('/');
    const letter = lying.get(id);
    return letter && letter.handle === Number(handle) ? letter : undefined;
  };

  /** @returns whether SQS took it */
  const carryOut = (action: string, entry: NonNullable<Input['Entries']>[number]): boolean => {
    if (action === 'SendMessageBatchCommand') {
      const message = { body: entry.MessageBody, attributes: entry.MessageAttributes };
      sent.push(message);
      sentAt.push(now);
      if (failAgain) {
        const id = `again-${sent.length}`;
        lying.set(id, { id, body: message.body, attributes: failAgain(message), visibleAt: 0, handle: 0 });
      }
      return true;
    }
    const letter = byHandle(entry.ReceiptHandle);
    if (!letter) return false;
    if (action === 'DeleteMessageBatchCommand') lying.delete(letter.id);
    else letter.visibleAt = now + entry.VisibilityTimeout * 1000;
    return true;
  };

  const send = async (command: { readonly input: Input }) => {
    const action = command.constructor.name;
    const fault = faults[calls % Math.max(1, faults.length)] ?? 'none';
    calls += 1;
    now += fault === 'slow' ? 20_000 : 10;
    const { input } = command;
    if (fault === 'throttled') throw sdkError('RequestThrottled', 'client');
    if (fault === 'server') throw sdkError('InternalFailure', 'server');
    if (fault === 'denied' && action === 'SendMessageBatchCommand') throw sdkError('AccessDenied', 'client');
    if (action === 'ReceiveMessageCommand') return receive(input);
    const Successful: { Id: string }[] = [];
    const Failed: { Id: string; Code: string; SenderFault: boolean }[] = [];
    for (const [index, entry] of (input.Entries ?? []).entries()) {
      const isRefused = fault === 'entries' && index % 2 === 0;
      if (!isRefused && carryOut(action, entry)) Successful.push({ Id: entry.Id });
      else Failed.push({ Id: entry.Id, Code: 'InternalError', SenderFault: index % 4 === 0 });
    }
    if (fault === 'lost') throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    return { Successful, Failed };
  };

  const client = { send } as never;
  const time = {
    now: () => now,
    random: () => 0.5,
    sleep: async (ms: number) => {
      now += ms;
    },
  };

  return {
    parts: {
      ...time,
      client,
      sqs: createSqs({ ...time, client, patience: COMMAND_PATIENCE }),
      queueUrl: REQUESTS,
      deadLetterQueues: [{ name: 'rejected' as const, url: DEAD }],
    },
    lying,
    sent,
    sentAt,
    now: () => now,
  };
};

const text = (StringValue: string) => ({ DataType: 'String', StringValue });
/** One request, whatever its letters otherwise carry. */
const requestOf = ({ body, attributes }: Sent): string => `${attributes['OriginalMessageId']?.StringValue} ${body}`;

const letterArbitrary = fc
  .record({
    code: fc.constantFrom('1005', '1006'),
    original: fc.nat(15),
    // Apart from the original: any sender can write another's id.
    identifier: fc.integer({ min: 1, max: 3 }),
    ageHours: fc.nat(150),
    own: fc.stringMatching(/^[a-z]{1,6}$/),
  })
  .map(({ code, original, identifier, ageHours, own }) => ({
    body: JSON.stringify({ identifier }),
    attributes: {
      own: text(own),
      ErrorCode: text(code),
      FailedAt: text(new Date(NOW - HOUR_MS).toISOString()),
      OriginalMessageId: text(`original-${original}`),
      FirstSentAt: text(new Date(NOW - ageHours * HOUR_MS).toISOString()),
      ReplayCount: { DataType: 'Number', StringValue: '0' },
    } as Wire,
  }));

const lettersArbitrary = fc
  .array(letterArbitrary, { maxLength: 60 })
  .map((letters) => letters.map((letter, index) => ({ ...letter, id: `letter-${index}` })));

const faultArbitrary = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fault>('none') },
  { weight: 1, arbitrary: fc.constantFrom<Fault>('throttled', 'server', 'denied', 'entries', 'lost', 'slow') },
);

const optionsArbitrary = fc.record(
  {
    codes: fc.constantFrom<readonly string[]>([], ['1006'], ['1005', '1006']),
    limit: fc.integer({ min: 1, max: 40 }),
    rate: fc.constantFrom(0.05, 1, 7, 50),
    dryRun: fc.boolean(),
    renew: fc.boolean(),
    visibilitySeconds: fc.constantFrom(30, 120),
  },
  { requiredKeys: [] },
);

test('no chosen letter is lost, no other moves, and the counts are true, whatever SQS does', async () => {
  await fc.assert(
    fc.asyncProperty(
      lettersArbitrary,
      fc.array(faultArbitrary, { maxLength: 30 }),
      optionsArbitrary,
      async (letters, faults, chosen) => {
        const model = createModel(letters, faults);
        const options: ReplayOptions = { ...chosen, reason: 'law', replayedBy: 'law', maxRequestAgeSeconds: 345_600 };
        const result = await replay(model.parts, options);

        const isChosen = ({ id, body, attributes }: (typeof letters)[number]): boolean =>
          isSelected(readLetter({ MessageId: id, Body: body, MessageAttributes: attributes }, 'rejected'), options);
        const sentRequests = new Set(model.sent.map(requestOf));
        for (const letter of letters) {
          const isGone = !model.lying.has(letter.id);
          if (!isChosen(letter) || options.dryRun) expect(isGone, 'moved though it was not meant').toBe(false);
          if (isGone) expect(sentRequests, 'deleted though it was not sent').toContain(requestOf(letter));
        }
        if (options.dryRun) expect(model.sent).toEqual([]);
        const gone = letters.length - model.lying.size;
        // A delete whose answer was lost is done, but not known to be.
        if (!options.dryRun) expect(result.replayed + result.duplicates).toBeLessThanOrEqual(gone);
        if (!(options.dryRun || faults.includes('lost'))) expect(result.replayed + result.duplicates).toBe(gone);
        const sum = result.replayed + result.duplicates + result.expired + result.failed;
        if (result.isInterrupted) expect(sum).toBeLessThanOrEqual(result.matched);
        else expect(sum).toBe(result.matched);
        if (options.limit !== undefined) expect(result.replayed).toBeLessThanOrEqual(options.limit);
      },
    ),
    { numRuns: runs(500) },
  );
});

test('on a good day each chosen request is sent exactly once, with all it carried, and nothing stays hidden', async () => {
  await fc.assert(
    fc.asyncProperty(lettersArbitrary, optionsArbitrary, async (letters, { limit: _, ...chosen }) => {
      const model = createModel(letters, []);
      const options: ReplayOptions = {
        ...chosen,
        dryRun: false,
        reason: 'law',
        replayedBy: 'law',
        maxRequestAgeSeconds: 345_600,
      };
      const result = await replay(model.parts, options);
      expect(result).toMatchObject({ failed: 0, isInterrupted: false });
      const meant = letters.filter(
        ({ attributes }) =>
          !options.codes?.length || options.codes.includes(attributes['ErrorCode']?.StringValue ?? ''),
      );
      const isYoung = ({ attributes }: Sent): boolean =>
        options.renew === true || NOW - Date.parse(attributes['FirstSentAt']?.StringValue ?? '') < 345_600_000;
      const wanted = new Set(meant.filter(isYoung).map(requestOf));
      const arrived = model.sent.map(requestOf);
      expect(arrived.length, 'a request was sent twice').toBe(new Set(arrived).size);
      // Expiry goes on while the replay runs: a slow one may find more of them.
      for (const request of arrived) expect(wanted).toContain(request);
      if (options.rate === undefined) expect(new Set(arrived)).toEqual(wanted);
      for (const message of model.sent) {
        const { attributes } = message;
        const ownOf = ({ attributes: { own } }: Sent): string | undefined => own?.StringValue;
        const isSource = (letter: Sent): boolean =>
          requestOf(letter) === requestOf(message) && ownOf(letter) === ownOf(message);
        expect(letters.some(isSource)).toBe(true);
        expect(attributes['ReplayCount'] as Partial<Attribute>).toMatchObject({ StringValue: '1' });
        expect(Object.keys(attributes)).not.toContain('ErrorCode');
      }
      expect([...model.lying.values()].filter(({ visibleAt }) => visibleAt > model.now())).toEqual([]);
    }),
    { numRuns: runs(300) },
  );
});

test('a request that fails again at once is neither lost nor sent twice in one run, whatever its letter says of its replays', async () => {
  const count = fc.constantFrom(undefined, '0', '7', '2147483648', '9007199254740991', 'many');
  /** Of a body near 1 MiB the attributes have no room, one after the other. */
  const padding = fc.oneof(fc.constant(0), fc.integer({ min: 1_048_100, max: 1_048_400 }));
  const attributesOf = (wire: Wire): Attributes =>
    Object.fromEntries(Object.entries(wire).map(([name, { StringValue }]) => [name, toText(StringValue)]));
  const failAgain = ({ body, attributes }: Sent): Wire => {
    const sending = { messageId: 'again', sentAt: new Date(NOW) };
    const provenance = readProvenance(attributesOf(attributes), sending);
    const failure = { errorCode: '1006', errorMessage: '1006', failedAt: new Date(NOW) };
    const written = deadLetterAttributes(body, attributesOf(attributes), provenance, failure).attributes;
    return Object.fromEntries(
      Object.entries(written).map(([name, { stringValue }]) => [name, text(stringValue ?? '')]),
    );
  };
  const few = lettersArbitrary.map((letters) => letters.slice(0, 12));
  await fc.assert(
    fc.asyncProperty(few, count, padding, async (letters, ReplayCount, bytes) => {
      const given = letters.map(({ id, body, attributes: { ReplayCount: _, ...rest } }) => ({
        id,
        body: body + ' '.repeat(bytes),
        attributes: ReplayCount === undefined ? rest : { ...rest, ReplayCount: text(ReplayCount) },
      })) as typeof letters;
      const model = createModel(given, [], failAgain);
      await replay(model.parts, { replayedBy: 'law', maxRequestAgeSeconds: 0, renew: true, reason: 'law' });
      // Of one that had no room for its original's id, each failure is a request of its own.
      const requests = model.sent.filter(({ attributes }) => attributes['OriginalMessageId']).map(requestOf);
      expect(requests.length, 'a request was sent twice').toBe(new Set(requests).size);
      expect(model.sent.length).toBeLessThanOrEqual(given.length);
      const left = new Set([...model.lying.values()].map(({ body }) => body));
      for (const { body } of given) expect(left, 'lost').toContain(body);
    }),
    { numRuns: runs(40, 8) },
  );
});

test('in no second more messages arrive than --rate allows, also after a stall', async () => {
  const faults = fc.array(fc.constantFrom<Fault>('none', 'none', 'none', 'slow', 'throttled', 'entries'), {
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(lettersArbitrary, faults, fc.constantFrom(0.5, 1, 5, 7, 12, 50), async (letters, calls, rate) => {
      const model = createModel(letters, calls);
      await replay(model.parts, { rate, replayedBy: 'law', maxRequestAgeSeconds: 0 });
      const windowMs = Math.max(1000, 1000 / rate);
      for (const from of model.sentAt) {
        const within = model.sentAt.filter((at) => at >= from && at < from + windowMs - 0.001);
        expect(within.length).toBeLessThanOrEqual(Math.max(1, Math.floor(rate)));
      }
    }),
    { numRuns: runs(200) },
  );
});

test('a letter of unknown age stays, and goes back as of now only with a renewal', async () => {
  const young = new Date(NOW - HOUR_MS).toISOString();
  const letter = (id: string, FirstSentAt: string | undefined, body = `{"identifier": 1}`) => ({
    id,
    body,
    attributes: {
      ErrorCode: text('1006'),
      ...(FirstSentAt === undefined ? {} : { FirstSentAt: text(FirstSentAt) }),
    } as Wire,
  });
  // So large that a replay had no room for the first sending.
  const full = letter('full', young, JSON.stringify({ identifier: 1, padding: 'x'.repeat(1_048_500) }));
  const letters = [letter('none', undefined), letter('unreadable', 'soon'), letter('known', young), full];
  const options = { reason: 'law', replayedBy: 'law', maxRequestAgeSeconds: 345_600 };

  const plain = createModel(letters, []);
  expect(await replay(plain.parts, options)).toMatchObject({ matched: 4, replayed: 1, expired: 3, failed: 0 });
  expect([...plain.lying.keys()]).toEqual(['none', 'unreadable', 'full']);

  const renewed = createModel(letters, []);
  expect(await replay(renewed.parts, { ...options, renew: true })).toMatchObject({ replayed: 4, expired: 0 });
  expect(renewed.sent.filter(({ attributes }) => attributes['RenewedAt'])).toHaveLength(3);
});
