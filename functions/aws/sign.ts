/**
 * AWS Signature Version 4 for one JSON POST (AWS General Reference, "Create a signed AWS API request"). Written out here
 * because the SDK's signer brings the SDK along: 30 ms of each cold start. A test holds it against `@smithy/signature-v4`.
 */
import type { Credentials } from './environment-credentials.ts';

export interface Signing {
  readonly credentials: Credentials;
  readonly region: string;
  /** Signing name, such as `sqs` or `secretsmanager`. */
  readonly service: string;
  readonly now: Date;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

const sha256 = (text: string): string => process.getBuiltinModule('node:crypto').hash('sha256', text);

const hmac = (key: string | Buffer, text: string): Buffer =>
  process.getBuiltinModule('node:crypto').createHmac('sha256', key).update(text).digest();

/** @returns `headers` (names in lower case) with what makes the request a signed one; whoever sends it adds `Host`. */
export const sign = (
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  { credentials, region, service, now }: Signing,
): Record<string, string> => {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const sent: Record<string, string> = {
    ...headers,
    'x-amz-date': time,
    ...(credentials.sessionToken ? { 'x-amz-security-token': credentials.sessionToken } : {}),
  };
  const signed: Record<string, string> = { ...sent, host: url.host };
  const names = Object.keys(signed).sort();
  const request = [
    'POST',
    url.pathname,
    '',
    ...names.map((name) => `${name}:${signed[name]?.trim()}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = hmac(key as Buffer, [ALGORITHM, time, scope, sha256(request)].join('\n')).toString('hex');
  const authorization = `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...sent, authorization };
};
