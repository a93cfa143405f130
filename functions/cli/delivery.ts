/** The event source mapping that delivers requests to the function: what it is doing, and switching it off and on. */

import type { EventSourceMappingConfiguration, LambdaClient } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { sleep } from '../time/sleep.ts';
import { createLambdaClient, createSqsClient, type Target, type TargetOptions } from './target.ts';
import { CommandError } from './terminal/ending.ts';

export interface Delivery {
  readonly uuid: string;
  readonly functionArn: string;
  /** Lambda's word: `Enabled`, `Disabled`, or on the way to one of them. */
  readonly state: string;
  /** When it last changed, so of a paused one since when. */
  readonly changedAt: Date | undefined;
  /** Of its pollers: `OK`, `No records processed`, or `PROBLEM: …`. */
  readonly lastResult?: string;
}

const ABSENT: Delivery = { uuid: '', functionArn: '', state: '', changedAt: undefined };

const readMapping = (mapping: EventSourceMappingConfiguration): Delivery => ({
  uuid: mapping.UUID ?? ABSENT.uuid,
  functionArn: mapping.FunctionArn ?? ABSENT.functionArn,
  state: mapping.State ?? 'unknown',
  changedAt: mapping.LastModified,
  ...(mapping.LastProcessingResult === undefined ? {} : { lastResult: mapping.LastProcessingResult }),
});

const readQueueArn = async (sqs: SQSClient, queueUrl: string): Promise<string> => {
  const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] });
  const { Attributes } = await sqs.send(command);
  return Attributes?.['QueueArn'] ?? '';
};

/** Of a name, an ARN, or either with an alias or version. */
const plainName = (name: string): string =>
  name.replace(/^arn:[^:]*:lambda:[^:]*:[^:]*:function:/, '').replace(/:.*$/s, '');

export interface Deliveries {
  /** Those of `requests`, and of the function where its name is known. */
  readonly list: () => Promise<readonly Delivery[]>;
  /** Resolves once Lambda says that it is done. */
  readonly turn: (delivery: Delivery, isOn: boolean) => Promise<Delivery>;
  readonly close: () => void;
}

const POLL_MS = 500;
const PATIENCE_MS = 120_000;

/** Lambda takes half a minute or so. */
const settle = async (client: LambdaClient, uuid: string): Promise<Delivery> => {
  const { GetEventSourceMappingCommand } = await import('@aws-sdk/client-lambda');
  const endsAt = Date.now() + PATIENCE_MS;
  for (;;) {
    const delivery = readMapping(await client.send(new GetEventSourceMappingCommand({ UUID: uuid })));
    if (!/ing$/.test(delivery.state) || Date.now() > endsAt) return delivery;
    await sleep(POLL_MS);
  }
};

export const createDeliveries = async (
  options: TargetOptions,
  target: Target & { readonly requests: string },
): Promise<Deliveries> => {
  const { ListEventSourceMappingsCommand, UpdateEventSourceMappingCommand } = await import('@aws-sdk/client-lambda');
  const client = await createLambdaClient(options);
  const sqs = createSqsClient(options);
  const list = async (): Promise<readonly Delivery[]> => {
    const queueArn = await readQueueArn(sqs, target.requests);
    const found: Delivery[] = [];
    let marker: string | undefined;
    do {
      const page = await client.send(
        new ListEventSourceMappingsCommand({ EventSourceArn: queueArn, ...(marker ? { Marker: marker } : {}) }),
      );
      found.push(...(page.EventSourceMappings ?? []).map(readMapping));
      marker = page.NextMarker || undefined;
    } while (marker !== undefined);
    const { enableFunction } = target;
    return enableFunction === undefined
      ? found
      : found.filter(({ functionArn }) => plainName(functionArn) === plainName(enableFunction));
  };
  return {
    list,
    turn: async ({ uuid }, isOn) => {
      await client.send(new UpdateEventSourceMappingCommand({ UUID: uuid, Enabled: isOn }));
      return settle(client, uuid);
    },
    close: () => {
      client.destroy();
      sqs.destroy();
    },
  };
};

/** @throws CommandError where nothing delivers requests */
export const noDelivery = (): CommandError =>
  new CommandError(
    'NoEventSourceMapping',
    'no event source mapping delivers requests to the function',
    'check --stage and ENABLE_PASSWORD_FUNCTION; was the stack deployed?',
  );
