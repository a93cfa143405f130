/** SQS's and Secrets Manager's HTTP APIs in virtual time, as the core's signed calls reach them. */
import type { Answer, Call } from '../../functions/http/send.ts';
import type { Clock } from '../virtual-time/clock.ts';
import type { Ledger, Random, Run } from './ledger.ts';
import { TIMED_OUT, unanswered } from './segura.ts';
import type { Queue } from './sqs.ts';
import { type AwsFault, faultAt, type Weather } from './weather.ts';

type Json = Readonly<Record<string, unknown>>;

export type Destination = 'rejected' | 'outcomes';

/** An answer on its way, and what it confirms. */
export interface AwsDelivery {
  readonly answer: Answer;
  readonly confirmed?: readonly { readonly queue: Destination; readonly messageId: string }[];
}

/** A message that the core sends: a dead letter or an outcome event. */
export interface Sent {
  readonly queue: Destination;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface AwsParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly weather: Weather;
  readonly ledger: Ledger;
  readonly requests: Queue;
  readonly isFifo: boolean;
  /** @returns the id of the message that it is of */
  readonly onSent: (sent: Sent, environment: number) => string;
  readonly onVisibility: (receiptHandle: string, seconds: number) => void;
}

const DEDUPLICATION_MS = 300_000;

const json = (status: number, value: Json): Answer => ({
  kind: 'answered',
  status,
  headers: {},
  body: JSON.stringify(value),
});

const error = (status: number, code: string): AwsDelivery => ({
  answer: json(status, { __type: `com.amazonaws#${code}`, message: 'simulated' }),
});

export const createAws = (parts: AwsParts) => {
  const { clock, random, weather, ledger, requests, isFifo, onSent, onVisibility } = parts;
  const secret = { current: 'hush-secret-0', pending: undefined as string | undefined };
  const seen = new Map<string, { readonly at: number; readonly messageId: string }>();

  /** What is in the queue already is confirmed and dropped, within SQS's five minutes. */
  const sendOnce = (queue: Destination, entry: Json, run: Run): string => {
    const key = `${queue} ${String(entry['MessageDeduplicationId'])}`;
    const before = seen.get(key);
    if (isFifo && before && clock.now() - before.at < DEDUPLICATION_MS) return before.messageId;
    const attributes = Object.fromEntries(
      Object.entries((entry['MessageAttributes'] ?? {}) as Record<string, { StringValue?: string }>).map(
        ([name, { StringValue = '' }]) => [name, StringValue],
      ),
    );
    const messageId = onSent({ queue, body: String(entry['MessageBody']), attributes }, run.environment);
    seen.set(key, { at: clock.now(), messageId });
    return messageId;
  };

  const sqs = (action: string, input: Json, run: Run, failsEntries: boolean): AwsDelivery => {
    const entries = input['Entries'] as Json[];
    if (entries.length < 1 || entries.length > 10) ledger.violate(`${action} with ${entries.length} entries`);
    const queue = /(rejected|outcomes)(\.fifo)?$/.exec(String(input['QueueUrl']))?.[1] as Destination | undefined;
    const Successful: Json[] = [];
    const Failed: Json[] = [];
    const confirmed: { queue: Destination; messageId: string }[] = [];
    for (const entry of entries) {
      const { Id } = entry;
      if (failsEntries && random() < 0.8) {
        // Some are said to have failed, of some nothing is said.
        if (random() < 0.7) Failed.push({ Id, Code: 'InternalError', SenderFault: false });
        continue;
      }
      if (action === 'SendMessageBatch' && queue) {
        confirmed.push({ queue, messageId: sendOnce(queue, entry, run) });
        Successful.push({ Id });
        continue;
      }
      const [handle, seconds] = [String(entry['ReceiptHandle']), Number(entry['VisibilityTimeout'])];
      onVisibility(handle, seconds);
      const Code = requests.changeVisibility(handle, seconds);
      if (Code === undefined) Successful.push({ Id });
      else Failed.push({ Id, Code, SenderFault: true });
    }
    return { answer: json(200, { Successful, Failed }), confirmed };
  };

  const getSecret = ({ VersionStage }: Json): AwsDelivery => {
    if (VersionStage !== 'AWSCURRENT') ledger.violate(`asked for the ${String(VersionStage)} version of the secret`);
    const SecretString = JSON.stringify({
      url: 'https://segura.test',
      accessTokenUrl: 'https://segura.test/iso/oauth2/token',
      clientId: 'client',
      clientSecret: VersionStage === 'AWSPENDING' ? secret.pending : secret.current,
    });
    return { answer: json(200, { SecretString }) };
  };

  const serve = (target: string, input: Json, run: Run, fault: AwsFault | undefined): AwsDelivery =>
    target.startsWith('secretsmanager')
      ? getSecret(input)
      : sqs(target.replace('AmazonSQS.', ''), input, run, fault === 'failed-entries');

  return {
    secret,
    /** `run` is the invocation that calls. */
    send: async ({ headers, body = '{}', timeoutMs }: Call, run: Run): Promise<AwsDelivery> => {
      const target = headers['x-amz-target'] ?? '';
      const fault = faultAt(target.startsWith('secretsmanager') ? weather.secrets : weather.sqs, clock.now(), random);
      await clock.sleep(fault === 'hang' ? timeoutMs : Math.min(timeoutMs, 3 + random() * 15));
      switch (fault) {
        case 'hang':
          return { answer: TIMED_OUT };
        case 'refused':
          return { answer: unanswered('refused', 'ECONNREFUSED') };
        case 'throttled':
          return error(400, 'ThrottlingException');
        case 'error':
          return error(500, 'InternalServiceError');
        case 'denied':
          return error(400, 'AccessDeniedException');
        case 'lost-answer':
          serve(target, JSON.parse(body), run, fault);
          return { answer: unanswered('reset', 'ECONNRESET') };
        default:
          return serve(target, JSON.parse(body), run, fault);
      }
    },
  };
};

export type AwsModel = ReturnType<typeof createAws>;
