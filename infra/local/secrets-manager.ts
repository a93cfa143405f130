/** Secrets Manager over AWS JSON 1.1: GetSecretValue, with versions, stages and faults. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listenOnLoopback, readText } from './loopback.ts';

interface Version {
  readonly id: string;
  readonly value: { readonly SecretString: string } | { readonly SecretBinary: string };
  readonly stages: Set<string>;
}

type Input = Readonly<Record<string, unknown>>;

export type SecretFault = 'hang' | 'throttle' | 'error' | 'denied' | 'not-json';

interface Reply {
  readonly status: number;
  readonly value: unknown;
}

const refusal = (status: number, type: string, message?: string): Reply => ({
  status,
  value: { __type: type, ...(message === undefined ? {} : { Message: message }) },
});

const failed = (fault: 'throttle' | 'error' | 'denied'): Reply => {
  switch (fault) {
    case 'throttle':
      return refusal(400, 'ThrottlingException', 'Rate exceeded');
    case 'error':
      return refusal(500, 'InternalServiceError', 'An error occurred on the server side.');
    case 'denied':
      return refusal(400, 'AccessDeniedException', 'User is not authorized to perform GetSecretValue');
  }
};

const getValue = (secrets: ReadonlyMap<string, readonly Version[]>, { SecretId, VersionStage }: Input): Reply => {
  const versions = secrets.get(String(SecretId));
  const found = versions?.find(({ stages }) => stages.has(String(VersionStage ?? 'AWSCURRENT')));
  if (!found) {
    return refusal(400, 'ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }
  return {
    status: 200,
    value: {
      ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${SecretId}-AbCdEf`,
      Name: SecretId,
      VersionId: found.id,
      VersionStages: [...found.stages],
      CreatedDate: Date.now() / 1000,
      ...found.value,
    },
  };
};

/** A new version under one stage; an earlier version loses that stage, as in the real service. */
const putValue = (versions: Version[], value: unknown, stage: string, isBinary: boolean): void => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  for (const { stages } of versions) if (stages.delete(stage) && stage === 'AWSCURRENT') stages.add('AWSPREVIOUS');
  versions.push({
    id: randomUUID(),
    value: isBinary ? { SecretBinary: Buffer.from(text).toString('base64') } : { SecretString: text },
    stages: new Set([stage]),
  });
};

export const startSecretsManager = async () => {
  const secrets = new Map<string, Version[]>();
  const reads: { readonly at: number; readonly input: Input }[] = [];
  const settings = { fault: undefined as SecretFault | undefined };
  const script: SecretFault[] = [];

  const refuse = ({ headers }: IncomingMessage): Reply | undefined => {
    if (!headers.authorization?.startsWith('AWS4-HMAC-SHA256 Credential=')) {
      return refusal(403, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
    }
    const isKnown = headers['x-amz-target'] === 'secretsmanager.GetSecretValue';
    return isKnown ? undefined : refusal(400, 'UnknownOperationException');
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readText(request);
    const reply = ({ status, value }: Reply): void => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() });
      response.end(JSON.stringify(value));
    };
    const refused = refuse(request);
    if (refused) return reply(refused);
    const input = JSON.parse(body) as Input;
    reads.push({ at: Date.now(), input });
    const fault = script.shift() ?? settings.fault;
    if (fault === 'hang') return;
    if (fault === 'not-json') response.writeHead(502, { 'content-type': 'text/html' }).end('<html>502</html>');
    else reply(fault ? failed(fault) : getValue(secrets, input));
  };

  const { url, close } = await listenOnLoopback(answer);
  return {
    url,
    reads,
    settings,
    next: (...faults: SecretFault[]): void => void script.push(...faults),
    put: (name: string, value: unknown, { stage = 'AWSCURRENT', isBinary = false } = {}): void => {
      const versions = secrets.get(name) ?? [];
      secrets.set(name, versions);
      putValue(versions, value, stage, isBinary);
    },
    close,
  };
};

export type SecretsManager = Awaited<ReturnType<typeof startSecretsManager>>;
