/** Of a request that no line tells of: what Lambda itself says. A help, so what cannot be asked is left out. */
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { createDeliveries } from '../delivery.ts';
import { createLogsClient, type Target, type TargetOptions } from '../target.ts';

/** Phrases that Lambda writes into the function's log where an invocation ends without an answer. */
const PHRASES = ['Task timed out', 'errorType'] as const;
const MOST_CHARACTERS = 300;

/** `{"errorType":"EnvironmentError","errorMessage":"…"}`, wherever it stands in the line. */
const errorIn = (line: string): string => {
  const [, type = ''] = /"errorType":\s*"([^"]*)"/.exec(line) ?? [];
  const [, message = ''] = /"errorMessage":\s*"((?:[^"\\]|\\.)*)"/.exec(line) ?? [];
  return `${type}: ${message}`.slice(0, MOST_CHARACTERS);
};

const searchLog = async (options: TargetOptions, logGroup: string, since: number): Promise<string | undefined> => {
  const client = await createLogsClient(options);
  try {
    for (const phrase of PHRASES) {
      const { events = [] } = await client.send(
        new FilterLogEventsCommand({
          logGroupName: logGroup,
          filterPattern: `"${phrase}"`,
          startTime: since,
          endTime: Date.now() + 60_000,
        }),
      );
      const line = events.at(-1)?.message;
      if (line === undefined) continue;
      return phrase === 'errorType'
        ? `the function fails at its start or as a whole: ${errorIn(line)}`
        : 'the function runs into its time-out (Task timed out): raise timeoutSeconds, or look what it waits for';
    }
    return undefined;
  } finally {
    client.destroy();
  }
};

/** Lambda's own pollers, such as that they may not use the key of the queue. */
const askMapping = async (options: TargetOptions, target: Target): Promise<string | undefined> => {
  const { requests, enableFunction } = target;
  if (requests === undefined || enableFunction === undefined) return undefined;
  const deliveries = await createDeliveries(options, { ...target, requests });
  try {
    const [problem] = (await deliveries.list()).flatMap(({ lastResult = '' }) =>
      /^PROBLEM/i.test(lastResult) ? [lastResult] : [],
    );
    return (
      problem &&
      `Lambda cannot receive or invoke: ${problem.slice(0, MOST_CHARACTERS)}. Check the function's role (sqs:ReceiveMessage, kms:Decrypt) and the key's policy`
    );
  } finally {
    deliveries.close();
  }
};

export const findClue = async (options: TargetOptions, target: Target, since: number): Promise<string | undefined> => {
  const nothing = (): undefined => undefined; // it was a help only
  return (
    (await askMapping(options, target).catch(nothing)) ??
    (target.logGroup === undefined ? undefined : await searchLog(options, target.logGroup, since).catch(nothing))
  );
};
