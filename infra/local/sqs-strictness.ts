/** Where the embedded SQS is kinder than AWS: what it would take and AWS refuses, and what it gives and AWS does not. */

import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';

export type Json = Record<string, unknown>;

/** What AWS says of one entry; of a single call it says the same with status 400. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

export interface SqsCall {
  readonly at: number;
  readonly action: string;
  readonly queue: string;
  readonly input: Json;
  /** That it was signed for. */
  readonly region: string | undefined;
}

/** From the credential scope of a signature of version 4. */
export const regionOf = ({ headers }: IncomingMessage): string | undefined =>
  /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headers.authorization ?? '')?.[1];

interface Answer {
  readonly status: number;
  /** The error's name in the older protocol, which the SDK reads first. */
  readonly queryError?: string | undefined;
  readonly output: Json;
}

export const readText = async (request: IncomingMessage): Promise<string> => {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  return body;
};

export const entriesOf = (input: Json): Json[] => (Array.isArray(input['Entries']) ? (input['Entries'] as Json[]) : []);

const MAX_ATTRIBUTES = 10;
const MAX_DELAY_SECONDS = 900;

const refuseSend = (entry: Json, queue: string): Refusal | undefined => {
  const { length } = Object.keys((entry['MessageAttributes'] as Json | undefined) ?? {});
  if (length > MAX_ATTRIBUTES) {
    const message = `Number of message attributes [${length}] exceeds the allowed maximum [${MAX_ATTRIBUTES}].`;
    return { code: 'InvalidParameterValue', message };
  }
  if (Number(entry['DelaySeconds'] ?? 0) > MAX_DELAY_SECONDS) {
    return { code: 'InvalidParameterValue', message: 'DelaySeconds must be between 0 and 900.' };
  }
  const needsGroup = queue.endsWith('.fifo') && entry['MessageGroupId'] === undefined;
  return needsGroup
    ? { code: 'MissingParameter', message: 'The request must contain the parameter MessageGroupId.' }
    : undefined;
};

/** The embedded server sees no long poll, so its own check does not meet it. */
const refuseReceive = ({ WaitTimeSeconds = 0 }: Json): Refusal | undefined =>
  Number(WaitTimeSeconds) > 20
    ? { code: 'InvalidParameterValue', message: 'WaitTimeSeconds must be between 0 and 20.' }
    : undefined;

/** What AWS would refuse of an entry, or of a call that has none. */
export const refuse = (
  action: string,
  queue: string,
  entry: Json,
  handles: ReadonlySet<string>,
): Refusal | undefined => {
  if (action === 'ReceiveMessage') return refuseReceive(entry);
  if (action.startsWith('SendMessage')) return refuseSend(entry, queue);
  const usesHandle = action.startsWith('DeleteMessage') || action.startsWith('ChangeMessageVisibility');
  return usesHandle && !handles.has(String(entry['ReceiptHandle']))
    ? { code: 'ReceiptHandleIsInvalid', message: 'The input receipt handle is invalid.' }
    : undefined;
};

const listOf = (input: Json, ...names: string[]): string[] =>
  names.flatMap((name) => (Array.isArray(input[name]) ? (input[name] as string[]) : []));

/** `All`, `.*`, a name, or `prefix.*`. */
const isAsked = (names: readonly string[], name: string): boolean =>
  names.some(
    (asked) =>
      asked === 'All' ||
      asked === '.*' ||
      asked === name ||
      (asked.endsWith('.*') && name.startsWith(asked.slice(0, -1))),
  );

/** A received message with the attributes that were asked for and no others, and with its trace header. */
export const asAsked = (input: Json, message: Json, traceHeader: string | undefined): Json => {
  const { MessageAttributes, MD5OfMessageAttributes, Attributes, ...rest } = message;
  const names = listOf(input, 'MessageAttributeNames');
  const all = Object.entries((MessageAttributes as Json | undefined) ?? {});
  const asked = all.filter(([name]) => isAsked(names, name));
  const wantsTrace = isAsked(listOf(input, 'MessageSystemAttributeNames', 'AttributeNames'), 'AWSTraceHeader');
  const system = {
    ...(Attributes as Json | undefined),
    ...(wantsTrace && traceHeader ? { AWSTraceHeader: traceHeader } : {}),
  };
  return {
    ...rest,
    ...(Object.keys(system).length > 0 ? { Attributes: system } : {}),
    ...(asked.length > 0 ? { MessageAttributes: Object.fromEntries(asked) } : {}),
    // Of a part of them AWS gives that part's own digest; nobody here checks it.
    ...(asked.length === all.length && MD5OfMessageAttributes ? { MD5OfMessageAttributes } : {}),
  };
};

/** How often a long poll looks for a message. */
const POLL_STEP_MS = 40;

/** A call to the embedded server on `port`, with AWS's strictness before it and AWS's thrift after it. */
export const createStrictSqs = (port: number) => {
  /** The embedded server's answer. */
  const forward = (request: IncomingMessage, input: Json): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(input);
      const headers = { ...request.headers, 'content-length': Buffer.byteLength(body) };
      const sent = httpRequest(
        { host: '127.0.0.1', port: port, method: request.method, path: request.url, headers },
        (answer) => {
          readText(answer).then(
            (text) =>
              resolve({
                status: answer.statusCode ?? 0,
                queryError: answer.headers['x-amzn-query-error'] as string | undefined,
                output: (text === '' ? {} : JSON.parse(text)) as Json,
              }),
            reject,
          );
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });

  /** The embedded server's own long poll goes on when the client has gone, and would swallow the next message. */
  const longPoll = async (request: IncomingMessage, response: ServerResponse, input: Json): Promise<Answer> => {
    const endsAt = Date.now() + Number(input['WaitTimeSeconds'] ?? 0) * 1000;
    for (;;) {
      const answer = await forward(request, { ...input, WaitTimeSeconds: 0 });
      const isEmpty = answer.status === 200 && !Array.isArray(answer.output['Messages']);
      if (!isEmpty || response.destroyed || Date.now() >= endsAt) return answer;
      await new Promise((resolve) => setTimeout(resolve, POLL_STEP_MS));
      // A receive from here on would be for nobody.
      if (response.destroyed) return answer;
    }
  };

  const handles = new Set<string>();
  const traces = new Map<string, string>();
  const traceOf = (entry: Json | undefined): string | undefined =>
    (entry?.['MessageSystemAttributes'] as { AWSTraceHeader?: { StringValue?: string } } | undefined)?.AWSTraceHeader
      ?.StringValue;
  const rememberTrace = (entry: Json | undefined, sent: Json): void => {
    const header = traceOf(entry);
    if (header) traces.set(String(sent['MessageId']), header);
  };

  return async (
    request: IncomingMessage,
    response: ServerResponse,
    { action, queue, input }: SqsCall,
  ): Promise<Answer> => {
    if (action.endsWith('Batch')) {
      const entries = entriesOf(input);
      const refused = entries.flatMap((entry) => {
        const refusal = refuse(action, queue, entry, handles);
        return refusal ? [{ Id: entry['Id'], Code: refusal.code, Message: refusal.message, SenderFault: true }] : [];
      });
      const accepted = entries.filter(({ Id }) => !refused.some((each) => each.Id === Id));
      if (refused.length > 0 && accepted.length === 0) {
        return { status: 200, output: { Successful: [], Failed: refused } };
      }
      const answer = await forward(request, { ...input, Entries: accepted });
      for (const sent of (answer.output['Successful'] as Json[] | undefined) ?? []) {
        rememberTrace(
          accepted.find(({ Id }) => Id === sent['Id']),
          sent,
        );
      }
      if (refused.length === 0 || answer.status !== 200) return answer;
      const failed = (answer.output['Failed'] as Json[] | undefined) ?? [];
      return { status: 200, output: { ...answer.output, Failed: [...failed, ...refused] } };
    }
    const refusal = refuse(action, queue, input, handles);
    if (refusal) {
      return { status: 400, output: { __type: `com.amazonaws.sqs#${refusal.code}`, message: refusal.message } };
    }
    const answer =
      action === 'ReceiveMessage' ? await longPoll(request, response, input) : await forward(request, input);
    if (action === 'SendMessage') rememberTrace(input, answer.output);
    const received = answer.output['Messages'];
    if (action !== 'ReceiveMessage' || !Array.isArray(received)) return answer;
    const Messages = received.map((message: Json) => {
      handles.add(String(message['ReceiptHandle']));
      return asAsked(input, message, traces.get(String(message['MessageId'])));
    });
    return { status: answer.status, output: { ...answer.output, Messages } };
  };
};
