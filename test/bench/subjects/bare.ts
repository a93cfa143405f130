/**
 * The bare handler that the others are compared with: the same two calls to Segura over node:http with kept-alive
 * connections, a token kept until it ends, a partial batch response; no AWS SDK (its secret is a variable), no checks,
 * no logs, no retries.
 */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { post } from './post.ts';

const { url, accessTokenUrl, clientId, clientSecret } = JSON.parse(process.env['SEGURA_SECRET'] ?? '{}');

let token: Promise<string> | undefined;
const requestToken = async (): Promise<string> => {
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const answer = JSON.parse(await post(accessTokenUrl, headers, new URLSearchParams(form).toString()));
  setTimeout(() => {
    token = undefined;
  }, answer.expires_in * 1000).unref();
  return answer.access_token;
};

const enable = async (body: string): Promise<void> => {
  token ??= requestToken();
  const { identifier } = JSON.parse(body);
  await post(`${url}/api/mysafe/password/active/${identifier}`, { Authorization: `Bearer ${await token}` });
};

export const handler = async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
  const results = await Promise.allSettled(Records.map(({ body }) => enable(body)));
  const failed = Records.filter((_, index) => results[index]?.status === 'rejected');
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
};
