/** How others reach the local world: variables for any AWS SDK, both AWS CLIs and this command line. */
import { writeFile } from 'node:fs/promises';
import type { World } from '../../../infra/local/world.ts';
import { naming } from '../new-file.ts';

/** @param more of other services, and where the console is */
export const endpointVariables = (
  { environment, sqs }: World,
  more: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> => ({
  ...environment,
  // Version 1 of the AWS CLI reads no AWS_REGION.
  AWS_DEFAULT_REGION: environment['AWS_REGION'] ?? '',
  // Nothing here is worth a question to a metadata service that is not there.
  AWS_EC2_METADATA_DISABLED: 'true',
  EXHAUSTED_QUEUE_URL: sqs.queueUrl('exhausted'),
  ...more,
});

/** For `. file`; Node's `--env-file` reads it too. A profile of the reader's would win over the keys. */
export const writeEnvFile = async (file: string, variables: Readonly<Record<string, string>>): Promise<void> => {
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`);
  const text = [
    '# Endpoints of mysafe-enable local --watch, as long as it runs.',
    'unset AWS_PROFILE AWS_SESSION_TOKEN',
    ...lines,
  ];
  await naming(file, writeFile(file, `${text.join('\n')}\n`));
};

/** Version 1 of the AWS CLI knows no endpoint variable, so it is an option here; version 2 takes that as well. */
export const sampleCommands = (): readonly string[] => [
  `aws --endpoint-url "$AWS_ENDPOINT_URL_SQS" sqs send-message --queue-url "$SOURCE_QUEUE_URL" --message-body '{"identifier": 10}'`,
  'npx mysafe-enable send 10 11 404 --requested-by you',
  'npx mysafe-enable status',
  'npx mysafe-enable trace --identifier 10',
];
