/** Secrets Manager's `GetSecretValue`, as much of it as we need. */
import { type CallAws, type EndpointSettings, SECRETS_MANAGER, secretsManagerEndpoint } from './call.ts';

/** What Secrets Manager said. */
export type SecretValue =
  | { readonly kind: 'read'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly code: string; readonly message: string };

/** Reads the current version of a secret, text or binary. Never throws. */
export const createSecretReader =
  (call: CallAws, region: string, endpoints: EndpointSettings, secretId: string) =>
  async (timeoutMs: number): Promise<SecretValue> => {
    // A pending version is not in force yet, so the stage is never left to chance.
    const input = { SecretId: secretId, VersionStage: 'AWSCURRENT' };
    const endpoint = secretsManagerEndpoint(region, endpoints);
    const answer = await call(SECRETS_MANAGER, endpoint, region, 'GetSecretValue', input, timeoutMs);
    if (answer.kind === 'failed') return { kind: 'unreadable', code: answer.code, message: answer.message };
    const { SecretString, SecretBinary } = answer.output;
    if (typeof SecretString === 'string') return { kind: 'read', text: SecretString };
    if (typeof SecretBinary === 'string') return { kind: 'read', text: Buffer.from(SecretBinary, 'base64').toString() };
    return { kind: 'unreadable', code: 'NoSecretValue', message: 'Secrets Manager answered without a value' };
  };
