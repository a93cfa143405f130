/** `mysafe-enable doctor`: a list of checks, each with a tick or what is wrong and how to mend it. Changes nothing. */
import { lookup } from 'node:dns/promises';
import { connect } from 'node:tls';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type Answer, createSend, isLoopback } from '../http/send.ts';
import { describe, judge, judgeToken } from '../segura/answers.ts';
import { enablePassword } from '../segura/client.ts';
import { readAnswer } from '../segura/reading.ts';
import { hide, parseSecret, type Secret } from '../segura/secret.ts';
import { requestToken, type Token } from '../segura/token.ts';
import type { Vault } from '../segura/vault.ts';
import { paint, say, sayJson } from './print.ts';
import { clientConfig, createSqsClient, findTarget, type Target, type TargetOptions } from './target.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found or, where it is wrong, what to mend. */
  readonly detail: string;
}

const TIMEOUT_MS = 15_000;
const CERTIFICATE_WARNING_DAYS = 30;
const CLOCK_TOLERANCE_MS = 60_000;

const good = (name: string, detail: string): Check => ({ name, ok: true, detail });
const bad = (name: string, detail: string): Check => ({ name, ok: false, detail });

/** A check that fails in a way nobody foresaw is a finding too. */
const guarded = async (name: string, check: () => Promise<Check>): Promise<Check> => {
  try {
    return await check();
  } catch (error) {
    return bad(name, `${(error as Error).name}: ${(error as Error).message}`);
  }
};

const readSecret = async (options: TargetOptions, secretId: string): Promise<string> => {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient(clientConfig(options));
  try {
    const command = new GetSecretValueCommand({ SecretId: secretId, VersionStage: 'AWSCURRENT' });
    const { SecretString, SecretBinary } = await client.send(command);
    return SecretString ?? Buffer.from(SecretBinary ?? []).toString();
  } finally {
    client.destroy();
  }
};

const checkDns = (url: URL): Promise<Check> =>
  guarded(`name ${url.hostname}`, async () => {
    try {
      const addresses = await lookup(url.hostname.replace(/^\[|\]$/g, ''), { all: true });
      return good(`name ${url.hostname}`, addresses.map(({ address }) => address).join(', '));
    } catch {
      return bad(
        `name ${url.hostname}`,
        'does not resolve from here: check the url in the secret, and the DNS of the VPC',
      );
    }
  });

const checkTls = (url: URL, { caCertificate, clientCertificate, clientKey }: Secret): Promise<Check> => {
  const name = `TLS ${url.host}`;
  if (url.protocol === 'http:') return Promise.resolve(good(name, 'plain http, on loopback'));
  return new Promise((resolve) => {
    const socket = connect({
      host: url.hostname,
      port: Number(url.port || 443),
      servername: isLoopback(url.hostname) ? '' : url.hostname,
      timeout: TIMEOUT_MS,
      ...(caCertificate ? { ca: caCertificate } : {}),
      ...(clientCertificate ? { cert: clientCertificate } : {}),
      ...(clientKey ? { key: clientKey.reveal() } : {}),
    });
    const end = (check: Check): void => {
      socket.destroy();
      resolve(check);
    };
    socket.on('secureConnect', () => {
      const { valid_to: validTo } = socket.getPeerCertificate();
      const daysLeft = Math.floor((Date.parse(validTo) - Date.now()) / 86_400_000);
      const until = `certificate until ${new Date(validTo).toISOString().slice(0, 10)}, ${daysLeft} days`;
      end(
        daysLeft > CERTIFICATE_WARNING_DAYS || isLoopback(url.hostname)
          ? good(name, `${socket.getProtocol()}, ${until}`)
          : bad(name, `${until}: have it renewed before then`),
      );
    });
    socket.on('timeout', () => end(bad(name, 'no answer: check security group, route and firewall')));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const mend = /CERT|ISSUER|SIGNED|VERIFY/i.test(error.code ?? '')
        ? 'put the PEM of the authority that signed it into caCertificate'
        : 'check host, port, security group and firewall';
      end(bad(name, `${error.code ?? error.message}: ${mend}`));
    });
  });
};

const whatCame = (answer: Answer): string =>
  answer.kind === 'answered' ? `HTTP ${answer.status}` : `no answer (${answer.failure}, ${answer.code})`;

const TOKEN_HINTS: Readonly<Record<number, string>> = {
  400: 'check clientId and clientSecret; on a multi-tenant installation set tokenParameters to {"tenant": "…"}; try tokenAuthMethod client_secret_basic',
  401: 'check clientId and clientSecret: the access key may be revoked or expired (MySafe > Integrations > Access keys)',
  403: 'this address may not be in the access key’s authorised IPs',
  404: 'check accessTokenUrl: it usually ends in /iso/oauth2/token',
};

const checkToken = async (
  vault: Vault,
): Promise<{ readonly check: Check; readonly token?: Token; readonly answer: Answer }> => {
  const answer = await requestToken(vault, TIMEOUT_MS);
  const reading = readAnswer(answer, Date.now());
  const { means } = judgeToken(reading);
  if (means === 'token-issued') {
    const token = { value: hide(String(reading.json['access_token'])), vault, renewAt: 0, expiresAt: 0 };
    return { check: good('token', `issued, expires_in ${reading.json['expires_in'] ?? 'not said'}`), token, answer };
  }
  const hint =
    means === 'gateway'
      ? 'the gateway does not reach Segura: check it, and the way to it'
      : (TOKEN_HINTS[reading.status] ??
        'check accessTokenUrl, clientId, clientSecret and tokenParameters in the secret');
  return { check: bad('token', `${whatCame(answer)}: ${hint}`), answer };
};

/** Identifier 0 is no password: 1005 or 1010 proves the whole way without enabling anything. */
const checkEndpoint = async (token: Token): Promise<Check> => {
  const answer = await enablePassword(0, token, TIMEOUT_MS);
  const reading = readAnswer(answer, Date.now());
  const row = judge(reading);
  if (row.means === 'not-found' || row.means === 'invalid-identifier') {
    return good('endpoint', `identifier 0 is answered with ${describe(row, reading)}`);
  }
  const hints: Partial<Record<typeof row.means, string>> = {
    unroutable: 'check url in the secret: it is the base, without /api',
    unauthorized: 'the token is refused: has the access key MySafe permission, and is it not revoked?',
    forbidden:
      'this address may not be in the access key’s authorised IPs; or a referer is wanted (referer in the secret)',
    redirect: 'the url answers with a redirect, as a login page does: it is not the API',
  };
  return bad(
    'endpoint',
    `${whatCame(answer)}, ${row.cameBack}: ${hints[row.means] ?? 'not what Segura answers to identifier 0'}`,
  );
};

const checkClock = (answer: Answer): Check => {
  const date = answer.kind === 'answered' ? answer.headers.date : undefined;
  if (date === undefined) return good('clock', 'Segura tells no time to compare with');
  const offMs = Math.abs(Date.parse(date) - Date.now());
  return offMs < CLOCK_TOLERANCE_MS
    ? good('clock', `within ${Math.ceil(offMs / 1000)} s of Segura's`)
    : bad('clock', `${Math.round(offMs / 1000)} s away from Segura's: set the clock (notAfter and ages depend on it)`);
};

type Attributes = Readonly<Record<string, string>>;

const readAttributes = async (sqs: SQSClient, queueUrl: string): Promise<Attributes> =>
  (await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] }))).Attributes ?? {};

const checkRequestsQueue = (requests: Attributes, exhausted: Attributes | undefined): Check => {
  const name = 'requests queue';
  const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(requests['RedrivePolicy'] ?? '{}') as {
    deadLetterTargetArn?: string;
    maxReceiveCount?: number | string;
  };
  if (!deadLetterTargetArn) return bad(name, 'has no redrive policy: set it to the exhausted queue');
  if (exhausted && deadLetterTargetArn !== exhausted['QueueArn']) {
    return bad(name, `its redrive policy names ${deadLetterTargetArn}, not the exhausted queue given`);
  }
  if (Number(maxReceiveCount) < 200) {
    return bad(name, `maxReceiveCount ${maxReceiveCount} is spent within a day's outage: set it to 1000`);
  }
  return good(name, `visibility ${requests['VisibilityTimeout']} s, maxReceiveCount ${maxReceiveCount}`);
};

const checkQueues = async (options: TargetOptions, target: Target): Promise<Check[]> => {
  const sqs = createSqsClient(options);
  const attributes = async (url: string | undefined) => (url ? readAttributes(sqs, url) : undefined);
  try {
    const [requests, rejected, exhausted] = await Promise.all([
      attributes(target.requests),
      attributes(target.rejected),
      attributes(target.exhausted),
    ]);
    const checks: Check[] = [];
    if (requests) checks.push(checkRequestsQueue(requests, exhausted));
    const kinds = new Set(
      [requests, rejected, exhausted].filter((each) => each).map((each) => each?.['FifoQueue'] === 'true'),
    );
    const arns = [requests, rejected, exhausted].map((each) => each?.['QueueArn']).filter(Boolean);
    if (kinds.size > 1) checks.push(bad('queues belong together', 'some are FIFO and some are not'));
    else if (new Set(arns).size < arns.length)
      checks.push(bad('queues belong together', 'the same queue is given twice'));
    else checks.push(good('queues belong together', `${arns.length} queues, ${kinds.has(true) ? 'FIFO' : 'standard'}`));
    for (const [name, found] of [
      ['rejected', rejected],
      ['exhausted', exhausted],
    ] as const) {
      const days = Number(found?.['MessageRetentionPeriod'] ?? 0) / 86_400;
      if (!found) continue;
      checks.push(
        days >= 14
          ? good(`${name} queue`, `kept ${days} days`)
          : bad(`${name} queue`, `keeps dead letters ${days} days: set MessageRetentionPeriod to 1209600`),
      );
    }
    return checks;
  } catch (error) {
    return [bad('queues', `${(error as Error).name}: ${(error as Error).message}`)];
  } finally {
    sqs.destroy();
  }
};

const checkSegura = async (secret: Secret): Promise<Check[]> => {
  const hosts = new Map([secret.url, secret.accessTokenUrl].map((url) => [url.host, url]));
  const checks: Check[] = [];
  for (const url of hosts.values()) checks.push(await checkDns(url), await checkTls(url, secret));
  if (checks.some(({ ok }) => !ok)) return checks;
  const { caCertificate, clientCertificate, clientKey } = secret;
  const connection = createSend({ maxSockets: 1, caCertificate, clientCertificate, clientKey: clientKey?.reveal() });
  try {
    const { check, token, answer } = await checkToken({ secret, send: connection.send });
    checks.push(check, checkClock(answer));
    if (token) checks.push(await guarded('endpoint', () => checkEndpoint(token)));
    return checks;
  } finally {
    connection.close();
  }
};

const examine = async (options: TargetOptions): Promise<Check[]> => {
  const target = await findTarget(options, 'secretId');
  const missing = (['requests', 'rejected', 'exhausted'] as const).filter((name) => target[name] === undefined);
  const checks: Check[] = [
    missing.length === 0
      ? good('configuration', 'secret and three queues are named')
      : bad(
          'configuration',
          `not named: ${missing.join(', ')}; give --stage, or SOURCE_QUEUE_URL, REJECTED_QUEUE_URL, EXHAUSTED_QUEUE_URL`,
        ),
  ];
  let secret: Secret | undefined;
  checks.push(
    await guarded('secret', async () => {
      secret = parseSecret(await readSecret(options, target.secretId));
      return good('secret', 'readable and complete');
    }),
  );
  if (secret) checks.push(...(await checkSegura(secret)));
  if (missing.length < 3) checks.push(...(await checkQueues(options, target)));
  return checks;
};

export const runDoctor = async (options: TargetOptions): Promise<number> => {
  const checks = await examine(options);
  const ok = checks.every((check) => check.ok);
  if (options.json) sayJson({ ok, checks });
  else {
    const width = Math.max(...checks.map(({ name }) => name.length));
    for (const check of checks) {
      say(`${check.ok ? paint('green', '✓') : paint('red', '✗')} ${check.name.padEnd(width)}  ${check.detail}`);
    }
    say(
      ok ? paint('green', '\nAll is well.') : paint('red', `\n${checks.filter((check) => !check.ok).length} to mend.`),
    );
  }
  return ok ? 0 : 1;
};
