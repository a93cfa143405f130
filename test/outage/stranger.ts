/**
 * An SQS of another making, in front of ours: it keeps to the API, and does otherwise whatever the API leaves open. A
 * receive brings one message; all attributes come, asked for or not; of each batch of visibility changes the last entry
 * fails, where there are others.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = Record<string, unknown>;

/** One of two actions that a stranger carries out in its own way: what it makes of the call, and of the answer. */
interface Manner {
  readonly asked: (input: Json) => Json;
  readonly answered: (output: Json, input: Json) => Json;
}

const entriesOf = ({ Entries }: Json): Json[] => (Array.isArray(Entries) ? (Entries as Json[]) : []);

const MANNERS: Readonly<Record<string, Manner>> = {
  ReceiveMessage: {
    asked: (input) => ({
      ...input,
      MaxNumberOfMessages: 1,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    }),
    answered: (output) => output,
  },
  ChangeMessageVisibilityBatch: {
    asked: (input) => {
      const entries = entriesOf(input);
      return { ...input, Entries: entries.length > 1 ? entries.slice(0, -1) : entries };
    },
    answered: (output, input) => {
      const entries = entriesOf(input);
      if (entries.length < 2 || !Array.isArray(output['Failed'])) return output;
      const failed = { Id: entries.at(-1)?.['Id'], Code: 'InternalError', Message: 'We failed.', SenderFault: false };
      return { ...output, Failed: [...(output['Failed'] as Json[]), failed] };
    },
  },
};

const readText = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
};

const HEADERS = ['authorization', 'content-type', 'x-amz-target'] as const;

export const startStranger = async (sqsUrl: string) => {
  const handle = async (request: IncomingMessage, signal: AbortSignal) => {
    const input = JSON.parse((await readText(request)) || '{}') as Json;
    const manner = MANNERS[String(request.headers['x-amz-target']).replace('AmazonSQS.', '')];
    const headers = HEADERS.map((name) => [name, String(request.headers[name] ?? '')] as [string, string]);
    const answer = await fetch(sqsUrl, {
      method: 'POST',
      headers,
      body: JSON.stringify(manner ? manner.asked(input) : input),
      signal,
    });
    const text = await answer.text();
    const isMannered = manner !== undefined && answer.status === 200;
    const body = isMannered ? JSON.stringify(manner.answered(JSON.parse(text) as Json, input)) : text;
    return { answer, body };
  };

  const server = createServer((request, response) => {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    handle(request, gone.signal).then(
      ({ answer, body }) => {
        const error = answer.headers.get('x-amzn-query-error');
        if (error) response.setHeader('x-amzn-query-error', error);
        response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' }).end(body);
      },
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};
