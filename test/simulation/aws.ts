/** SQS's and Secrets Manager's HTTP APIs in virtual time, as the core's calls reach them. */
import type { Answer, Call } from '../../functions/http/send.ts';
import type { Clock } from '../virtual-time/clock.ts';
import type { Ledger, Random, Run } from './ledger.ts';
import type { SimulatedQueues } from './queues.ts';
import { TIMED_OUT, unanswered } from './segura.ts';
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
  readonly queues: SimulatedQueues;
  /** @returns the id of the message that it is of */
  readonly onSent: (sent: Sent, environment: number) => string;
  readonly onVisibility: (receiptHandle: string, seconds: number, run: Run) => void;
}

const json = (status: number, value: Json): Answer => ({
  kind: 'answered',
  status,
  headers: {},
  body: JSON.stringify(value),
});

const error = (status: number, code: string): AwsDelivery => ({
  answer: json(status, { __type: `com.amazonaws#${code}`, message: 'simulated' }),
});

/** Some are said to have failed, of some nothing is said. */
const drawFailures = (entries: readonly Json[], random: Random) => {
  const accepted: Json[] = [];
  const Failed: Json[] = [];
  for (const entry of entries) {
    if (random() >= 0.8) accepted.push(entry);
    else if (random() < 0.7) Failed.push({ Id: entry['Id'], Code: 'InternalError', SenderFault: false });
  }
  return { accepted, Failed };
};

const listOf = (output: Json, list: 'Successful' | 'Failed'): readonly Json[] =>
  (output[list] as readonly Json[] | undefined) ?? [];

export const createAws = (parts: AwsParts) => {
  const { clock, random, weather, ledger, queues, onSent, onVisibility } = parts;
  const secret = { current: 'hush-secret-0', pending: undefined as string | undefined };
  /** By SQS's id of what was sent: the message that it is of. */
  const sent = new Map<string, string>();

  /** What is in the queue already is confirmed, and told once. */
  const tellSent = (queue: Destination, entry: Json, sqsId: string, run: Run): string => {
    const known = sent.get(sqsId);
    if (known !== undefined) return known;
    const attributes = Object.fromEntries(
      Object.entries((entry['MessageAttributes'] ?? {}) as Record<string, { StringValue?: string }>).map(
        ([name, { StringValue = '' }]) => [name, StringValue],
      ),
    );
    const messageId = onSent({ queue, body: String(entry['MessageBody']), attributes }, run.environment);
    sent.set(sqsId, messageId);
    return messageId;
  };

  const sqs = (action: string, input: Json, run: Run, failsEntries: boolean): AwsDelivery => {
    const entries = (input['Entries'] ?? []) as Json[];
    const { accepted, Failed } = failsEntries ? drawFailures(entries, random) : { accepted: entries, Failed: [] };
    if (failsEntries && accepted.length === 0) return { answer: json(200, { Successful: [], Failed }) };
    if (action === 'ChangeMessageVisibilityBatch') {
      for (const entry of accepted)
        onVisibility(String(entry['ReceiptHandle']), Number(entry['VisibilityTimeout']), run);
    }
    const reply = queues.act(action, { ...input, Entries: accepted }, 'function');
    if (reply.kind === 'refused') {
      ledger.violate(`SQS refused ${action}: ${reply.code} ${reply.message}`);
      return error(400, reply.code);
    }
    const queue = /(rejected|outcomes)(\.fifo)?$/.exec(String(input['QueueUrl']))?.[1] as Destination | undefined;
    const successful = listOf(reply.output, 'Successful');
    const confirmed = successful.flatMap(({ Id, MessageId }) => {
      const entry = accepted.find((each) => each['Id'] === Id);
      return queue && entry ? [{ queue, messageId: tellSent(queue, entry, String(MessageId), run) }] : [];
    });
    return {
      answer: json(200, { Successful: successful, Failed: [...listOf(reply.output, 'Failed'), ...Failed] }),
      confirmed,
    };
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
