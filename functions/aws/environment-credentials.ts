/**
 * Credentials of the Lambda role, from the variables that Lambda sets. At build time this file stands in for
 * `@aws-sdk/credential-provider-node` in every deployed bundle (see infra/build.ts).
 */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** @throws Error when `AWS_ACCESS_KEY_ID` or `AWS_SECRET_ACCESS_KEY` is not set. */
export const readCredentials = (environment: NodeJS.ProcessEnv): Credentials => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    throw new Error(
      'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set: Lambda sets them from the execution role',
    );
  }
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
  };
};

/** The name under which the AWS SDK asks for its default provider. Read at each call: the variables can change. */
export const defaultProvider = () => async (): Promise<Credentials> => readCredentials(process.env);
