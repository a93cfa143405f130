/** Secrets Manager's `GetSecretValue`: the current version of one secret. */
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type AttemptParts, createAttempts } from './attempts.ts';
import { type Failed, readFailure } from './failure.ts';

/** What Secrets Manager said. */
export type SecretValue = { readonly kind: 'read'; readonly text: string } | Failed;

export interface SecretReaderParts extends AttemptParts {
  readonly client: Pick<SecretsManagerClient, 'send'>;
  readonly secretId: string;
}

const failed = (code: string, detail: string): Failed => ({ kind: 'failed', code, detail });

/** Reads the current version of a secret, text or binary. Never throws. */
export const createSecretReader = ({ client, secretId, ...parts }: SecretReaderParts) => {
  const repeat = createAttempts(parts);
  // A pending version is not in force yet, so the stage is never left to chance.
  const input = { SecretId: secretId, VersionStage: 'AWSCURRENT' };

  return async (timeoutMs: number): Promise<SecretValue> => {
    let value: SecretValue = failed('ETIMEDOUT', 'no time left');
    await repeat(timeoutMs, async (requestTimeout) => {
      try {
        const { SecretString, SecretBinary } = await client.send(new GetSecretValueCommand(input), { requestTimeout });
        const text = SecretString ?? (SecretBinary && Buffer.from(SecretBinary).toString());
        value =
          typeof text !== 'string'
            ? failed('NoSecretValue', 'Secrets Manager answered without a value')
            : { kind: 'read', text };
        return 'done';
      } catch (error) {
        const refused = readFailure(error);
        value = refused.failed;
        return refused.again ? 'again' : 'done';
      }
    });
    return value;
  };
};
