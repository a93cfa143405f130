/**
 * The same work with middy and its own middlewares, as their pages show it
 * (middy.js.org/docs/middlewares/sqs-partial-batch-failure and …/secrets-manager, prefetch being its default), axios
 * and the AWS SDK. It does less than the contract asks: no dead letters, no expiry, no retries, no metrics.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import middy from '@middy/core';
import secretsManager from '@middy/secrets-manager';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import axios from 'axios';

interface Secret {
  readonly url: string;
  readonly accessTokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

const client = axios.create({
  httpAgent: new HttpAgent({ keepAlive: true }),
  httpsAgent: new HttpsAgent({ keepAlive: true }),
  timeout: 30_000,
  maxRedirects: 0,
});

let token: { readonly value: Promise<string>; endsAt: number } | undefined;
const requestToken = async ({ accessTokenUrl, clientId, clientSecret }: Secret): Promise<string> => {
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
  const { data } = await client.post(accessTokenUrl, new URLSearchParams(form));
  if (token) token.endsAt = Date.now() + data.expires_in * 1000;
  return data.access_token;
};

const enable = async ({ body }: SQSRecord, secret: Secret): Promise<void> => {
  if (!token || Date.now() >= token.endsAt) token = { value: requestToken(secret), endsAt: Number.POSITIVE_INFINITY };
  const { identifier } = JSON.parse(body);
  const headers = { Authorization: `Bearer ${await token.value}` };
  const { data } = await client.post(`${secret.url}/api/mysafe/password/active/${identifier}`, undefined, { headers });
  if (data.response.error !== false) throw new Error(data.response.message);
};

const handleEvent = (event: SQSEvent, { secret }: Context & { secret: Secret }) =>
  Promise.allSettled(event.Records.map((record) => enable(record, secret)));

export const handler = middy<SQSEvent, unknown, Error, Context & { secret: Secret }>()
  .use(secretsManager({ fetchData: { secret: process.env['SEGURA_SECRET_ID'] ?? '' }, setToContext: true }))
  .use(sqsPartialBatchFailure())
  .handler(handleEvent);
