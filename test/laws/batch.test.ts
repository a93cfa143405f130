/**
 * Laws of one event after another in one execution environment, under generated answers of Segura, the token endpoint,
 * Secrets Manager and SQS, with the real core in virtual time.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../depth.ts';
import {
  ALREADY,
  type AwsResult,
  answered,
  confirm,
  createStage,
  ENABLED,
  fifoRecord,
  gateway,
  HANG,
  type Json,
  keptIds,
  LOGIN_PAGE,
  NO_ACCESS,
  NO_ROUTE,
  NOT_FOUND,
  RESET,
  type Reply,
  record,
  SERVER_ERROR,
  START,
  type Stage,
  secretText,
  token,
  unanswered,
} from '../unit/stage.ts';

const seguraReplies = {
  enabled: ENABLED,
  already: ALREADY,
  notFound: NOT_FOUND,
  noAccess: NO_ACCESS,
  noRoute: NO_ROUTE,
  notAuthorized: answered(500, { message: 'You are not authorized to access this resource.' }),
  serverError: SERVER_ERROR,
  badGateway: gateway(502),
  timeout: gateway(504),
  tooFast: gateway(429, { 'retry-after': '3' }),
  farTooFast: gateway(429, { 'retry-after': '100000' }),
  reset: RESET,
  stale: unanswered('reset', 'ECONNRESET', true),
  tls: unanswered('tls', 'CERT_HAS_EXPIRED'),
  loginPage: LOGIN_PAGE,
  hang: HANG,
} as const satisfies Record<string, Reply>;
type SeguraReply = keyof typeof seguraReplies;

/** Mostly well: else nothing but the outage would be tried. */
const seguraReply = fc.oneof(
  { weight: 12, arbitrary: fc.constant<SeguraReply>('enabled') },
  { weight: 8, arbitrary: fc.constantFrom(...(Object.keys(seguraReplies) as SeguraReply[])) },
);
const tokenReply = fc.oneof(
  { weight: 8, arbitrary: fc.constant('good' as const) },
  { weight: 1, arbitrary: fc.constantFrom('refused', 'down', 'hang', 'short') },
);
const secretReply = fc.oneof(
  { weight: 8, arbitrary: fc.constant('good' as const) },
  { weight: 1, arbitrary: fc.constantFrom('denied', 'malformed', 'hang') },
);
type SqsReply = 'good' | 'half' | 'half-for-good' | 'silent' | 'denied' | 'hang';
const sqsReply = fc.oneof(
  { weight: 6, arbitrary: fc.constant<SqsReply>('good') },
  { weight: 1, arbitrary: fc.constantFrom<SqsReply>('half', 'half-for-good', 'silent', 'denied', 'hang') },
);

/** A message of the event: what it asks, of which group, how often it was delivered in it. */
const messageArbitrary = fc.record({
  identifier: fc.integer({ min: 1, max: 8 }),
  form: fc.constantFrom('number', 'number', 'number', 'object', 'invalid', 'expired', 'expiring'),
  group: fc.constantFrom('a', 'b', 'c'),
  isTwice: fc.boolean(),
});
type Generated = typeof messageArbitrary extends fc.Arbitrary<infer Value> ? Value : never;

const scenario = fc.record({
  isFifo: fc.boolean(),
  hasOutcomes: fc.boolean(),
  concurrency: fc.integer({ min: 1, max: 5 }),
  remainingMs: fc.constantFrom(400, 3000, 15_000, 120_000),
  drawn: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  events: fc.array(fc.array(messageArbitrary, { minLength: 1, maxLength: 14 }), { minLength: 1, maxLength: 3 }),
  segura: fc.infiniteStream(seguraReply),
  tokens: fc.infiniteStream(tokenReply),
  secrets: fc.infiniteStream(secretReply),
  sqs: fc.infiniteStream(sqsReply),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;
type Given = Omit<Scenario, 'sqs'> & { readonly sqs: Iterator<SqsReply> };

function* forever<Value>(value: Value): Generator<Value> {
  for (;;) yield value;
}

const bodyOf = ({ form, identifier }: Generated, now: number): string => {
  if (form === 'invalid') return 'please';
  if (form === 'number') return String(identifier);
  const notAfter = { expired: now - 1000, expiring: now + 500, object: now + 3_600_000 }[form];
  return JSON.stringify({ identifier, notAfter: new Date(notAfter ?? now).toISOString() });
};

const isOdd = ({ Id }: Json): boolean => Number(Id) % 2 === 1;
const sqsAnswer = (kind: SqsReply, entries: readonly Json[]): (AwsResult & { tookMs?: number }) | undefined => {
  switch (kind) {
    case 'good':
      return undefined;
    case 'half':
    case 'half-for-good': {
      const failed = entries.filter(isOdd).map(({ Id }) => ({ Id, Code: 'X', SenderFault: kind === 'half-for-good' }));
      return { kind: 'ok', output: { Successful: entries.filter((entry) => !isOdd(entry)), Failed: failed } };
    }
    case 'silent':
      return { kind: 'ok', output: {} };
    case 'denied':
      return { kind: 'failed', code: 'AccessDenied', detail: 'no' };
    case 'hang':
      return { ...confirm(entries), tookMs: Number.POSITIVE_INFINITY };
  }
};

/** What reached the other side, by message or identifier. */
interface Seen {
  readonly verdicts: Map<number, Set<SeguraReply>>;
  /** Confirmed by SQS: queue and message id. */
  readonly confirmed: Set<string>;
}

const play = (given: Given): { readonly stage: Stage; readonly seen: Seen } => {
  const seen: Seen = { verdicts: new Map(), confirmed: new Set() };
  const next = <Value>(stream: Iterator<Value>): Value => stream.next().value as Value;
  const stage: Stage = createStage({
    isFifo: given.isFifo,
    hasOutcomes: given.hasOutcomes,
    concurrency: given.concurrency,
    random: () => given.drawn,
    segura: ({ identifier }) => {
      const kind = next(given.segura);
      seen.verdicts.set(identifier, (seen.verdicts.get(identifier) ?? new Set()).add(kind));
      return seguraReplies[kind];
    },
    tokens: (nth) => {
      switch (next(given.tokens)) {
        case 'refused':
          return gateway(401);
        case 'down':
          return gateway(503);
        case 'hang':
          return HANG;
        case 'short':
          return token(`token-${nth}`, 1);
        default:
          return token(`token-${nth}`);
      }
    },
    secret: (nth) => {
      switch (next(given.secrets)) {
        case 'denied':
          return { kind: 'failed', code: 'AccessDeniedException', detail: 'no' };
        case 'malformed':
          return { kind: 'read', text: '{}' };
        case 'hang':
          return { kind: 'failed', code: 'x', detail: 'x', tookMs: Number.POSITIVE_INFINITY };
        default:
          return { kind: 'read', text: secretText({ clientSecret: `secret-${nth}` }) };
      }
    },
    sqs: (action, entries) => {
      const answer = sqsAnswer(next(given.sqs), entries);
      if (action === 'SendMessageBatch' && (answer?.tookMs ?? 0) === 0) {
        const output = (answer ?? confirm(entries)) as { output?: { Successful?: Json[] } };
        for (const { Id } of output.output?.Successful ?? []) {
          const entry = entries.find((each) => each['Id'] === Id);
          const attributes = entry?.['MessageAttributes'] as Record<string, { StringValue: string }> | undefined;
          const told = attributes
            ? attributes['OriginalMessageId']?.StringValue
            : JSON.parse(String(entry?.['MessageBody'])).messageId;
          seen.confirmed.add(`${attributes ? 'rejected' : 'outcomes'} ${told}`);
        }
      }
      return answer;
    },
  });
  return { stage, seen };
};

test('no message is both settled and kept, none is told twice, and what is told as done or rejected is', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const { stage, seen } = play(given);
      for (const [turn, generated] of given.events.entries()) {
        const [toldBefore, linesBefore, callsBefore] = [stage.outcomes.length, stage.lines.length, stage.calls.length];
        const invokedAt = stage.clock.now();
        const records = generated.flatMap((message, index) => {
          const id = `m-${turn}-${index}`;
          const body = bodyOf(message, invokedAt);
          const one = given.isFifo ? fifoRecord(id, body, message.group) : record(id, body);
          return message.isTwice && !given.isFifo ? [one, { ...one, receiptHandle: `again-${id}` }] : [one];
        });
        const ids = [...new Set(records.map(({ messageId }) => messageId))];
        const response = await stage.invoke(records, given.remainingMs);

        // The response names only messages of its event, each once, and comes before the function's time is up.
        const kept = keptIds(response);
        expect(new Set(kept).size).toBe(kept.length);
        for (const id of kept) expect(ids).toContain(id);
        expect(response.tookMs).toBeLessThan(given.remainingMs);
        expect(stage.lines.filter(({ message }) => message === 'bug: message kept')).toEqual([]);

        // Every message ends in exactly one outcome and one audit line, and the two agree with the response.
        const told = stage.outcomes.slice(toldBefore);
        expect(told.map(({ message }) => message.messageId).toSorted()).toEqual(ids.toSorted());
        const audited = stage.lines.slice(linesBefore).filter(({ message }) => message === 'password enable');
        expect(audited.map(({ messageId }) => String(messageId)).toSorted()).toEqual(ids.toSorted());
        for (const { outcome, messageId } of audited) {
          expect(outcome === 'kept', `${messageId} is ${outcome}`).toBe(kept.includes(String(messageId)));
        }

        for (const { message, decision, effort } of told) {
          const { messageId, parsed } = message;
          const identifier = parsed.kind === 'request' ? parsed.request.identifier : 0;
          const verdicts = seen.verdicts.get(identifier) ?? new Set();
          if (decision.kind === 'done') {
            const said = decision.result === 'enabled' ? 'enabled' : 'already';
            expect(verdicts, `${messageId} told as ${decision.result}`).toContain(said);
          }
          if (decision.kind === 'rejected') {
            const codes = { '1005': 'notFound', '1006': 'noAccess' } as Record<string, SeguraReply>;
            const said = codes[decision.errorCode];
            if (said) expect(verdicts, `${messageId} rejected as ${decision.errorCode}`).toContain(said);
            else expect(['InvalidMessage', 'Expired']).toContain(decision.errorCode);
            expect(seen.confirmed).toContain(`rejected ${messageId}`);
          }
          if (decision.kind !== 'kept' && given.hasOutcomes) expect(seen.confirmed).toContain(`outcomes ${messageId}`);
          expect(effort.attempts).toBeLessThanOrEqual(6);
        }
        // What cannot be carried out any more, or never could, costs no call.
        const called = new Set(stage.calls.slice(callsBefore).map(({ identifier }) => identifier));
        const mayBeCalled = generated.filter(({ form }) => form !== 'invalid' && form !== 'expired');
        for (const identifier of called) expect(mayBeCalled.map((message) => message.identifier)).toContain(identifier);
        await stage.pass(30_000);
      }
    }),
    { numRuns: runs(400) },
  );
});

test('a kept FIFO message is never overtaken: neither in the response, nor by a call, nor by a dead letter', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (generated) => {
      const given = { ...generated, isFifo: true };
      const { stage } = play(given);
      for (const [turn, messages] of given.events.entries()) {
        // Each message its own identifier, so that a call names its message.
        const records = messages.map((message, index) =>
          fifoRecord(
            `m-${turn}-${index}`,
            bodyOf({ ...message, identifier: turn * 100 + index + 1 }, stage.clock.now()),
            message.group,
          ),
        );
        const callsBefore = stage.calls.length;
        const sentBefore = stage.sqsCalls.length;
        const kept = new Set(keptIds(await stage.invoke(records, given.remainingMs)));
        // Nor after the answer, by what an invocation leaves running.
        await stage.pass(30_000);
        const calls = stage.calls.slice(callsBefore);
        const letters = stage.sqsCalls
          .slice(sentBefore)
          .filter(({ queueUrl }) => queueUrl.includes('/rejected'))
          .flatMap(({ entries }) => entries.map(({ MessageDeduplicationId }) => String(MessageDeduplicationId)));

        for (const group of ['a', 'b', 'c']) {
          const lane = messages.flatMap((message, index) => (message.group === group ? [index] : []));
          const firstKept = lane.findIndex((index) => kept.has(`m-${turn}-${index}`));
          const behind = firstKept === -1 ? [] : lane.slice(firstKept + 1);
          for (const index of behind) {
            expect(kept, `m-${turn}-${index} overtook m-${turn}-${lane[firstKept]}`).toContain(`m-${turn}-${index}`);
            expect(calls.map(({ identifier }) => identifier)).not.toContain(turn * 100 + index + 1);
            expect(letters).not.toContain(`m-${turn}-${index}`);
          }
          // And those that were called were called in the order of the group.
          const order = calls
            .map(({ identifier }) => identifier - turn * 100 - 1)
            .filter((index) => lane.includes(index));
          expect(order).toEqual(order.toSorted((a, b) => a - b));
        }
      }
    }),
    { numRuns: runs(300) },
  );
});

test('a kept message waits 30 s to 15 min, once per delivery; earlier it comes back only with a success', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const { stage, seen } = play({ ...given, sqs: forever<SqsReply>('good') });
      const [messages = []] = given.events;
      const records = messages.map((message, index) => record(`m-${index}`, bodyOf(message, START)));
      const kept = keptIds(await stage.invoke(records, given.remainingMs));
      const ups: readonly SeguraReply[] = ['enabled', 'already', 'notFound', 'noAccess'];
      const hasAnswered = [...seen.verdicts.values()].some((verdicts) => ups.some((up) => verdicts.has(up)));
      const changed = new Set<unknown>();
      const changes = stage.sqsCalls
        .filter(({ action }) => action === 'ChangeMessageVisibilityBatch')
        .flatMap(({ entries }) => entries);
      for (const { VisibilityTimeout, ReceiptHandle } of changes) {
        expect(kept).toContain(String(ReceiptHandle).replace('handle-', ''));
        // The second change of a handle has it come back early, and there is no third.
        const isFirst = !changed.has(ReceiptHandle);
        if (!isFirst) expect(hasAnswered).toBe(true);
        if (isFirst) expect(VisibilityTimeout).toBeGreaterThanOrEqual(30);
        expect(VisibilityTimeout).toBeLessThanOrEqual(900);
        changed.add(ReceiptHandle);
      }
      expect(changes.length).toBeLessThanOrEqual(2 * changed.size);
    }),
    { numRuns: runs(200) },
  );
});
