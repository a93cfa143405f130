/** Secrets Manager over AWS JSON 1.1: GetSecretValue, with versions, stages and faults. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Version {
  readonly id: string;
  readonly value: { readonly SecretString: string } | { readonly SecretBinary: string };
  readonly stages: Set<string>;
}

export type SecretFault = 'hang' | 'throttle' | 'error' | 'denied' | 'not-json';

export const startSecretsManager = async () => {
  const secrets = new Map<string, Version[]>();
  const reads: { readonly at: number; readonly input: Readonly<Record<string, unknown>> }[] = [];
  const settings = { fault: undefined as SecretFault | undefined };
  const script: SecretFault[] = [];

  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const answer = (status: number, value: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() });
      response.end(JSON.stringify(value));
    };
    const isSigned = request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 Credential=');
    if (!isSigned)
      return answer(403, { __type: 'MissingAuthenticationTokenException', Message: 'Missing Authentication Token' });
    if (request.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue') {
      return answer(400, { __type: 'UnknownOperationException' });
    }
    const input = JSON.parse(body) as Record<string, unknown>;
    reads.push({ at: Date.now(), input });
    switch (script.shift() ?? settings.fault) {
      case 'hang':
        return;
      case 'throttle':
        return answer(400, { __type: 'ThrottlingException', Message: 'Rate exceeded' });
      case 'error':
        return answer(500, { __type: 'InternalServiceError', Message: 'An error occurred on the server side.' });
      case 'denied':
        return answer(400, {
          __type: 'AccessDeniedException',
          Message: 'User is not authorized to perform GetSecretValue',
        });
      case 'not-json':
        response.writeHead(502, { 'content-type': 'text/html' }).end('<html>502</html>');
        return;
      case undefined: {
        const versions = secrets.get(String(input['SecretId']));
        const found = versions?.find(({ stages }) => stages.has(String(input['VersionStage'] ?? 'AWSCURRENT')));
        if (!found) {
          return answer(400, {
            __type: 'ResourceNotFoundException',
            Message: "Secrets Manager can't find the specified secret.",
          });
        }
        return answer(200, {
          ARN: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${input['SecretId']}-AbCdEf`,
          Name: input['SecretId'],
          VersionId: found.id,
          VersionStages: [...found.stages],
          CreatedDate: Date.now() / 1000,
          ...found.value,
        });
      }
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reads,
    settings,
    next: (...faults: SecretFault[]): void => void script.push(...faults),
    /** A new version under one stage; an earlier version loses that stage, as in the real service. */
    put: (name: string, value: unknown, { stage = 'AWSCURRENT', isBinary = false } = {}): void => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      const versions = secrets.get(name) ?? [];
      for (const { stages } of versions) if (stages.delete(stage) && stage === 'AWSCURRENT') stages.add('AWSPREVIOUS');
      versions.push({
        id: randomUUID(),
        value: isBinary ? { SecretBinary: Buffer.from(text).toString('base64') } : { SecretString: text },
        stages: new Set([stage]),
      });
      secrets.set(name, versions);
    },
    close: async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

export type SecretsManager = Awaited<ReturnType<typeof startSecretsManager>>;
