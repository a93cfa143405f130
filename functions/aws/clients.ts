/** The AWS SDK's clients, over our one HTTP call, with everything said outright that they would else look up. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createRequestHandler } from '../http/request-handler.ts';
import type { Connection } from '../http/send.ts';
import type { AwsSettings } from './settings.ts';
import type { SqsClient } from './sqs.ts';

const beSilent = (): void => undefined;
/** What the SDK has to say (a queue's URL is not its endpoint) concerns nobody who reads our log. */
export const SILENT = { trace: beSilent, debug: beSilent, info: beSilent, warn: beSilent, error: beSilent };

const shared = ({ useFipsEndpoint, useDualstackEndpoint, appId }: AwsSettings, connection: Connection) => ({
  useFipsEndpoint,
  useDualstackEndpoint,
  // The variables were read already; for each of these four the SDK would look for a file of profiles at the first call.
  ignoreConfiguredEndpointUrls: true,
  authSchemePreference: ['sigv4'],
  disableClockSkewCorrection: false,
  userAgentAppId: () => Promise.resolve(appId),
  defaultsMode: 'standard' as const,
  retryMode: 'standard',
  logger: SILENT,
  requestHandler: createRequestHandler(connection),
});

/** Attempts are ours (attempts.ts), which knows how much time is left; only for reading are they the SDK's. */
export const createSqsClient = (settings: AwsSettings, connection: Connection, maxAttempts = 1): SQSClient => {
  const { region, sqsEndpoint, useFipsEndpoint, useDualstackEndpoint } = settings;
  return new SQSClient({
    ...shared(settings, connection),
    region,
    maxAttempts,
    ...(sqsEndpoint ? { endpoint: sqsEndpoint } : {}),
    // A queue's URL names the ordinary host, also where FIPS or dual stack is asked for.
    useQueueUrlAsEndpoint: !(useFipsEndpoint || useDualstackEndpoint),
    // One body that arrived changed would fail all ten: sqs.ts compares each by itself.
    md5: false,
  });
};

/** Opened by the first call: most cold starts settle their messages without SQS, and a client costs them 2 %. */
export const openWhenUsed = (open: () => SQSClient): SqsClient => {
  let client: SQSClient | undefined;
  return {
    get send() {
      client ??= open();
      return client.send.bind(client) as SQSClient['send'];
    },
  };
};

/** `arn:aws:secretsmanager:<region>:…` */
const regionOfSecret = (secretId: string): string | undefined =>
  /^arn:[^:]+:secretsmanager:([a-z0-9-]+):/.exec(secretId)?.[1];

/** A secret given by ARN is read in the ARN's region. */
export const createSecretsManagerClient = (
  settings: AwsSettings,
  secretId: string,
  connection: Connection,
): SecretsManagerClient => {
  const { region, secretsManagerEndpoint } = settings;
  return new SecretsManagerClient({
    ...shared(settings, connection),
    region: regionOfSecret(secretId) ?? region,
    maxAttempts: 1,
    ...(secretsManagerEndpoint ? { endpoint: secretsManagerEndpoint } : {}),
  });
};
