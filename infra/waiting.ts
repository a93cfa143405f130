/** What would be lost with a stack: the messages of its queues. Asked before it is removed. */
import {
  CloudFormationClient,
  type CloudFormationClientConfig,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';

interface Waiting {
  /** Such as `mysafe-enable-prod-rejected`. */
  readonly queue: string;
  /** Also those in work, and those whose delay is not over. */
  readonly messages: number;
}

const queuesOf = async (stacks: CloudFormationClient, StackName: string): Promise<string[]> => {
  const urls: string[] = [];
  for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client: stacks }, { StackName })) {
    for (const { ResourceType, PhysicalResourceId, ResourceStatus } of StackResourceSummaries) {
      const isThere = ResourceStatus !== 'DELETE_COMPLETE';
      if (ResourceType === 'AWS::SQS::Queue' && PhysicalResourceId && isThere) urls.push(PhysicalResourceId);
    }
  }
  return urls;
};

const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

/** The queues of the stack that are not empty, by SQS's own approximate counts. @throws what AWS refuses */
export const findWaiting = async (stackName: string, config: CloudFormationClientConfig): Promise<Waiting[]> => {
  const stacks = new CloudFormationClient(config);
  // An endpoint that the environment names goes before the host of a queue's URL.
  const endpoint = process.env['AWS_ENDPOINT_URL_SQS'] ?? process.env['AWS_ENDPOINT_URL'];
  const { region, credentials } = config;
  const sqs = new SQSClient({
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(endpoint ? { endpoint } : {}),
  });
  try {
    const found: Waiting[] = [];
    for (const QueueUrl of await queuesOf(stacks, stackName)) {
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...COUNTS] }),
      );
      const messages = COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
      if (messages > 0) found.push({ queue: QueueUrl.split('/').at(-1) ?? QueueUrl, messages });
    }
    return found;
  } finally {
    stacks.destroy();
    sqs.destroy();
  }
};

/** Why it is not removed; nothing where nothing waits. */
export const refusal = (waiting: readonly Waiting[]): string | undefined =>
  waiting.length === 0
    ? undefined
    : `not removed, for messages would be lost: ${waiting
        .map(({ queue, messages }) => `${queue} has about ${messages}`)
        .join(
          ', ',
        )}. Let requests be carried out, replay or discard the dead letters (dead-letters list shows them), or give --force`;
