/**
 * Those who look after dead letters, in virtual time: they give access, replay, renew, discard. The replay is the real one
 * (dead-letters/replay.ts), over calls that a queue in virtual time answers.
 */
import { COMMAND_PATIENCE } from '../../functions/aws/attempts.ts';
import { createSqsClient } from '../../functions/aws/clients.ts';
import { createSqs } from '../../functions/aws/sqs.ts';
import type { ReplayOptions } from '../../functions/dead-letters/plan.ts';
import { replay } from '../../functions/dead-letters/replay.ts';
import { createScan, type QueueToRead } from '../../functions/dead-letters/scan.ts';
import type { Answer, Call } from '../../functions/http/send.ts';
import { AWS, stripped } from './aws-clients.ts';
import type { Cluster } from './cluster.ts';
import { MAX_REQUEST_AGE_SECONDS, type Story } from './ledger.ts';

type Json = Readonly<Record<string, unknown>>;
type Texts = Readonly<Record<string, { readonly StringValue?: string }>>;

/** What SQS's `SenderId` says of whoever replays. */
export interface Operator {
  readonly senderId: string;
  readonly name: string;
}

const json = (status: number, value: unknown): Answer => ({
  kind: 'answered',
  status,
  headers: {},
  body: JSON.stringify(value),
});

const CALL_MS = 10;
const VISIBILITY_SECONDS = 120;

/** @param onReplayed is told of each message that was sent again, before anybody can receive it */
export const createOperators = (
  { clock, random, queues, ledger, segura }: Cluster,
  isFifo: boolean,
  onReplayed: (story: Story, by: Operator, count: number, reason: string | undefined) => void,
) => {
  const suffix = isFifo ? '.fifo' : '';
  const urlOf = (name: string): string => `https://sqs.test/0/${name}${suffix}`;
  const toRead = (name: QueueToRead['name']): QueueToRead => ({ name, url: urlOf(name) });

  const register = (entry: Json, messageId: string, by: Operator): void => {
    const attributes = (entry['MessageAttributes'] ?? {}) as Texts;
    const textOf = (name: string): string | undefined => attributes[name]?.StringValue;
    const before = ledger.storyOfOriginal(textOf('OriginalMessageId') ?? '');
    if (before === undefined) {
      ledger.violate(`replayed ${textOf('OriginalMessageId')}, which nobody sent`);
      return;
    }
    const renewedAt = textOf('RenewedAt');
    const fresh = { letters: [], isEnabled: false, isDeleted: false, isExhausted: false, receives: 0, crashes: 0 };
    const { settledAt: _, ...known } = before;
    const story: Story = {
      ...known,
      ...fresh,
      messageId,
      index: ledger.stories.size,
      sentAt: clock.now(),
      renewedAt: renewedAt === undefined ? undefined : Date.parse(renewedAt),
      trace: before.trace,
    };
    ledger.add(story);
    onReplayed(story, by, Number(textOf('ReplayCount')), textOf('ReplayReason'));
  };

  const connect = (by: Operator) => ({
    send: async ({ headers, body = '{}' }: Call): Promise<Answer> => {
      await clock.sleep(CALL_MS);
      const input = JSON.parse(body) as Json;
      const action = (headers['x-amz-target'] ?? '').replace('AmazonSQS.', '');
      const reply = queues.act(action, input, by.senderId);
      if (reply.kind === 'refused') return json(400, { __type: `com.amazonaws#${reply.code}`, message: reply.message });
      const entries = (input['Entries'] ?? []) as readonly Json[];
      if (action === 'SendMessageBatch') {
        for (const { Id, MessageId } of reply.output['Successful'] as readonly Json[]) {
          const entry = entries.find((each) => each['Id'] === Id);
          if (entry) register(entry, String(MessageId), by);
        }
      }
      return json(200, reply.output);
    },
    close: () => undefined,
  });

  const accessOf = (by: Operator) => {
    const client = stripped(createSqsClient(AWS, connect(by)));
    const time = { now: clock.now, random, sleep: (ms: number) => clock.sleep(ms) };
    return { client, sqs: createSqs({ ...time, client, patience: COMMAND_PATIENCE }) };
  };

  return {
    /** Of the passwords that Segura refused, so many may be enabled from now on. */
    giveAccess: (share: number): void => {
      for (const [identifier, state] of segura.passwords) {
        if (state !== 'disabled' && state !== 'active' && random() < share)
          segura.passwords.set(identifier, 'disabled');
      }
    },
    /** From both queues: of a request that has a letter in each, one is a duplicate. */
    replay: async (by: Operator, options: Partial<ReplayOptions>): Promise<void> => {
      const { failed, stop } = await replay(
        {
          ...accessOf(by),
          queueUrl: urlOf('requests'),
          deadLetterQueues: [toRead('rejected'), toRead('exhausted')],
          now: clock.now,
          sleep: (ms) => clock.sleep(ms),
        },
        { ...options, replayedBy: by.name, maxRequestAgeSeconds: MAX_REQUEST_AGE_SECONDS },
      );
      if (failed > 0 || stop !== undefined) ledger.violate(`the replay failed: ${failed}, ${stop}`);
    },
    /** By hand, for good: so many of its letters. */
    discard: async (by: Operator, queue: QueueToRead['name'], share: number): Promise<void> => {
      const options = { visibilitySeconds: VISIBILITY_SECONDS, now: clock.now };
      const scan = createScan(accessOf(by), toRead(queue), options);
      const chosen: string[] = [];
      for await (const turn of scan.turns()) {
        if (turn.kind === 'failed') ledger.violate(`the scan failed: ${turn.code}`);
        else for (const { messageId } of turn.letters) if (random() < share) chosen.push(messageId);
      }
      const left = await scan.remove(chosen);
      await scan.release();
      if (left.size > 0) ledger.violate(`${left.size} letters were not discarded`);
    },
  };
};

export type Operators = ReturnType<typeof createOperators>;
