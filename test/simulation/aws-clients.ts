/** The clients of SQS and Secrets Manager in virtual time: the SDK's without what nobody reads here, and one without the SDK. */
import type { SqsClient } from '../../functions/aws/sqs.ts';
import { TransportError } from '../../functions/http/request-handler.ts';
import type { Connection } from '../../functions/http/send.ts';

export const AWS = { region: 'us-east-1', useFipsEndpoint: false, useDualstackEndpoint: false };

// The SDK looks them up, as in Lambda, in the environment.
process.env['AWS_ACCESS_KEY_ID'] ??= 'simulated';
process.env['AWS_SECRET_ACCESS_KEY'] ??= 'simulated';

/** What the SDK adds for a server or a log that reads it. Here nobody does, and it is half of the work of a call. */
const UNREAD = [
  'httpSigningMiddleware',
  'loggerMiddleware',
  'getUserAgentMiddleware',
  'hostHeaderMiddleware',
  'recursionDetectionMiddleware',
  'contentLengthMiddleware',
];

export const stripped = <Client extends { middlewareStack: { remove: (name: string) => boolean } }>(
  client: Client,
): Client => {
  for (const name of UNREAD) if (!client.middlewareStack.remove(name)) throw new Error(`the SDK has no ${name} now`);
  return client;
};

/**
 * On days on which nothing is wrong at SQS, nothing is asked of the SDK but to write JSON, to read it, and to hand on that
 * no answer came; for that it takes a third of all work. The other days have the SDK.
 */
export const createPlainClient = ({ send }: Pick<Connection, 'send'>): SqsClient => {
  const url = new URL('https://sqs.test');
  const call = async (command: object & { readonly input?: unknown }, timeoutMs: number): Promise<unknown> => {
    const action = command.constructor.name.replace(/Command$/, '');
    const headers = { 'x-amz-target': `AmazonSQS.${action}` };
    const body = JSON.stringify(command.input);
    const answer = await send({ url, method: 'POST', path: '/', headers, body, timeoutMs, maxBodyBytes: Infinity });
    if (answer.kind === 'unanswered') throw new TransportError(answer);
    if (answer.status !== 200) throw new Error(`SQS answered ${answer.status}, and nothing is wrong with it`);
    return JSON.parse(answer.body);
  };
  return {
    send: ((command: object, options: { readonly requestTimeout: number }) =>
      call(command, options.requestTimeout)) as SqsClient['send'],
  };
};
