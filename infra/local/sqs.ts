/**
 * SQS over real HTTP: an embedded server behind a proxy that keeps a journal, fails on demand, and is strict where the
 * embedded server is kinder than AWS (see world.ts for the list).
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startFauxqs } from 'fauxqs';
import { createStrictSqs, entriesOf, type Json, readText, regionOf, type SqsCall } from './sqs-strictness.ts';

export type QueueName = 'requests' | 'rejected' | 'exhausted' | 'outcomes';

export type SqsFault =
  | { readonly kind: 'hang' }
  | { readonly kind: 'error' }
  | { readonly kind: 'throttle' }
  | { readonly kind: 'denied' }
  /** Answers 200 with every entry in `Failed`. */
  | { readonly kind: 'failed-entries'; readonly code?: string; readonly senderFault?: boolean }
  /** Carried out, but the answer never comes. */
  | { readonly kind: 'lost-answer' };

/** A message as it lies in a queue; reading it this way leaves it as it is. */
export interface LyingMessage {
  readonly messageId: string;
  readonly body: string;
  readonly groupId: string | undefined;
  readonly messageAttributes: Readonly<
    Record<string, { DataType: string; StringValue?: string; BinaryValue?: unknown }>
  >;
  readonly isInFlight: boolean;
  readonly receiveCount: number;
  /** ms until it is visible again; 0 for a visible one. */
  readonly visibleInMs: number;
}

export interface SqsOptions {
  readonly fifo?: boolean;
  readonly visibilitySeconds?: number;
  readonly maxReceiveCount?: number;
}

const failedEntries = (entries: readonly Json[], code: string, senderFault: boolean) => ({
  Successful: [],
  Failed: entries.map(({ Id }) => ({ Id, Code: code, SenderFault: senderFault, Message: 'simulated' })),
});

export const startSqs = async ({ fifo = false, visibilitySeconds = 720, maxReceiveCount = 1000 }: SqsOptions = {}) => {
  const embedded = await startFauxqs({ port: 0, logger: false });
  const suffix = fifo ? '.fifo' : '';
  const nameOf = (queue: QueueName): string => `${queue}${suffix}`;
  const fifoAttributes = fifo ? { FifoQueue: 'true', ContentBasedDeduplication: 'false' } : {};
  const arnOf = (queue: QueueName): string => `arn:aws:sqs:us-east-1:000000000000:${nameOf(queue)}`;
  for (const queue of ['rejected', 'exhausted', 'outcomes'] as const) {
    embedded.createQueue(nameOf(queue), { attributes: { ...fifoAttributes, MessageRetentionPeriod: '1209600' } });
  }
  embedded.createQueue(nameOf('requests'), {
    attributes: {
      ...fifoAttributes,
      VisibilityTimeout: String(visibilitySeconds),
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf('exhausted'), maxReceiveCount }),
    },
  });

  const journal: SqsCall[] = [];
  const held = new Set<ServerResponse>();
  const script = new Map<string, SqsFault[]>();
  const settings = { faults: new Map<string, SqsFault>() };

  const carryOut = createStrictSqs(embedded.port);

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readText(request);
    const action = String(request.headers['x-amz-target'] ?? '').replace('AmazonSQS.', '');
    const input = (body === '' ? {} : JSON.parse(body)) as Json;
    const queue =
      String(input['QueueUrl'] ?? '')
        .split('/')
        .at(-1) ?? '';
    const call: SqsCall = { at: Date.now(), action, queue, input, region: regionOf(request) };
    journal.push(call);
    const answer = (status: number, value: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(value));
    };
    const fault = script.get(action)?.shift() ?? settings.faults.get(action);
    switch (fault?.kind) {
      case 'hang':
        held.add(response);
        return;
      case 'error':
        return answer(500, { __type: 'com.amazonaws.sqs#InternalFailure', message: 'simulated' });
      case 'throttle':
        return answer(400, { __type: 'com.amazonaws.sqs#RequestThrottled', message: 'Request is throttled.' });
      case 'denied':
        return answer(403, { __type: 'com.amazonaws.sqs#AccessDenied', message: 'Access to the resource is denied.' });
      case 'failed-entries':
        return answer(200, failedEntries(entriesOf(input), fault.code ?? 'InternalError', fault.senderFault ?? false));
      case 'lost-answer':
        await carryOut(request, response, call);
        request.socket.destroy();
        return;
      case undefined: {
        const { status, output, queryError } = await carryOut(request, response, call);
        if (queryError) response.setHeader('x-amzn-query-error', queryError);
        return answer(status, output);
      }
    }
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // A client that went away in the middle of its call wants no answer.
      if (!response.destroyed) response.writeHead(500).end(String(error));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const messages = (queue: QueueName): LyingMessage[] => {
    const inspected = embedded.inspectQueue(nameOf(queue));
    if (!inspected) throw new Error(`no queue ${nameOf(queue)}`);
    const { ready, delayed, inflight } = inspected.messages;
    const lying = [
      ...[...ready, ...delayed].map((message) => ({ message, visibleInMs: 0, isInFlight: false })),
      ...inflight.map(({ message, visibilityDeadline }) => ({
        message,
        visibleInMs: Math.max(0, visibilityDeadline - Date.now()),
        isInFlight: true,
      })),
    ];
    return lying.map(({ message, visibleInMs, isInFlight }) => ({
      messageId: message.messageId,
      body: message.body,
      groupId: message.messageGroupId,
      messageAttributes: message.messageAttributes as LyingMessage['messageAttributes'],
      isInFlight,
      receiveCount: message.approximateReceiveCount,
      visibleInMs,
    }));
  };

  return {
    url,
    isFifo: fifo,
    journal,
    settings,
    arnOf,
    /** With the proxy's host: the embedded server's own names do not resolve. */
    queueUrl: (queue: QueueName): string => `${url}/000000000000/${nameOf(queue)}`,
    messages,
    calls: (action: string): SqsCall[] => journal.filter((call) => call.action === action),
    next: (action: string, ...faults: SqsFault[]): void => {
      script.set(action, [...(script.get(action) ?? []), ...faults]);
    },
    close: async (): Promise<void> => {
      for (const response of held) response.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await embedded.stop();
    },
  };
};

export type SimulatedSqs = Awaited<ReturnType<typeof startSqs>>;
