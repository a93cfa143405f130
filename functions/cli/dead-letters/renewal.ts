/**
 * A renewal counts only from the senders in RENEWAL_SENDERS. Whoever is not one of them renews through the function
 * replay-dead-letters, which is one, and whose audit line says who asked.
 */
import type { ReplayOptions } from '../../dead-letters/plan.ts';
import type { ReplayCounts, ReplayResult } from '../../dead-letters/replay.ts';
import { isListed } from '../../requests/provenance.ts';
import { clientConfig, type TargetOptions } from '../target.ts';
import { CommandError } from '../terminal/ending.ts';
import { UsageError } from '../terminal/usage.ts';

/** Whether the operator, by STS's `UserId`, is one of RENEWAL_SENDERS. */
export const mayRenewHere = async (options: TargetOptions): Promise<boolean> => {
  const senders = (process.env['RENEWAL_SENDERS'] ?? '').split(',').flatMap((id) => id.trim() || []);
  if (senders.length === 0) return false;
  const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
  const sts = new STSClient(clientConfig(options));
  try {
    const { UserId } = await sts.send(new GetCallerIdentityCommand({}));
    return isListed(UserId, senders);
  } finally {
    sts.destroy();
  }
};

/** @throws UsageError where nothing says which function it is */
export const requireReplayFunction = (name: string | undefined): string => {
  if (name !== undefined) return name;
  throw new UsageError(
    'a renewal counts only from the senders in RENEWAL_SENDERS, and you are not one of them: give --stage, or set REPLAY_FUNCTION to the name of the replay-dead-letters function, which renews for you',
  );
};

/** The same options as the event of replay-dead-letters takes them. */
export const eventOf = (options: ReplayOptions, queue: string | undefined, maxAgeSeconds: number | undefined) => {
  const { codes, before, after, dryRun: _, visibilitySeconds: __, maxRequestAgeSeconds: ___, ...same } = options;
  return {
    ...same,
    ...(queue === undefined ? {} : { queue }),
    ...(codes?.length ? { code: codes } : {}),
    ...(before ? { before: before.toISOString() } : {}),
    ...(after ? { after: after.toISOString() } : {}),
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  };
};

export type ReplayEvent = ReturnType<typeof eventOf>;

/** What the function answers; see replay-dead-letters/handler.ts. */
interface Answer extends ReplayCounts {
  readonly unread?: number;
  readonly cursor?: Readonly<Record<string, unknown>>;
  readonly error?: string;
}

const isAnswer = (value: unknown): value is Answer =>
  typeof value === 'object' && value !== null && typeof (value as Answer).replayed === 'number';

const readAnswer = (name: string, functionError: string | undefined, text: string): Answer => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined; // told as what it is not, below
  }
  if (functionError === undefined && isAnswer(value)) return value;
  const { errorMessage = 'it answered nothing that is a result' } = (value ?? {}) as { errorMessage?: string };
  throw new CommandError(
    'ReplayFunctionFailed',
    `${name}: ${errorMessage}`,
    'nothing is lost: see its log, then run it again',
  );
};

export interface InvokeParts {
  readonly functionName: string;
  readonly signal: AbortSignal;
  readonly onProgress: (counts: ReplayCounts) => void;
}

/** Lambda lets no function run for longer than 15 minutes. */
const RUN_LIMIT_MS = 16 * 60_000;
/** Runs that come to nothing, one after the other, after which another would not either. */
const MAX_FRUITLESS = 3;

/** Invokes the function until it has no cursor to go on from; Ctrl-C ends after the run under way. */
export const replayByFunction = async (
  options: TargetOptions,
  event: ReplayEvent,
  { functionName, signal, onProgress }: InvokeParts,
): Promise<ReplayResult> => {
  const { InvokeCommand, LambdaClient } = await import('@aws-sdk/client-lambda');
  // Repeated by the SDK it would run twice, side by side.
  const lambda = new LambdaClient({ ...clientConfig(options), maxAttempts: 1 });
  const counts = { matched: 0, replayed: 0, duplicates: 0, expired: 0, failed: 0 };
  let answer: Answer;
  let cursor: Answer['cursor'];
  let fruitless = 0;
  try {
    do {
      const Payload = Buffer.from(JSON.stringify({ ...event, ...(cursor ? { cursor } : {}) }));
      const command = new InvokeCommand({ FunctionName: functionName, Payload });
      const result = await lambda.send(command, { requestTimeout: RUN_LIMIT_MS });
      answer = readAnswer(functionName, result.FunctionError, Buffer.from(result.Payload ?? []).toString());
      for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] += answer[name];
      onProgress(counts);
      fruitless = answer.replayed + answer.duplicates > 0 ? 0 : fruitless + 1;
      cursor = answer.cursor;
    } while (cursor && !signal.aborted && answer.error === undefined && fruitless < MAX_FRUITLESS);
  } finally {
    lambda.destroy();
  }
  const { error: stop, unread = 0 } = answer;
  return {
    ...counts,
    dryRun: false,
    unread,
    isInterrupted: cursor !== undefined || stop !== undefined,
    ...(stop === undefined ? {} : { stop }),
  };
};
