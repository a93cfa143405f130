/**
 * The process that is measured: loads a bundle as Lambda's runtime does, hands its handler SQS events and writes what it
 * took to file descriptor 3. Bundled before use, since Node.js would take longer to strip its types than to run it.
 * Arguments: the bundle, the work to do, and which part of it: 10 for a tenth.
 */
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Reading, Work } from './sample.ts';

type Handler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

const [file = '', work = 'cold', divisor = '1'] = process.argv.slice(2) as [string, Work, string];
/** As many batches of ten as let V8 settle, then those that count. */
const WARM_UP_BATCHES = 100 / Number(divisor);
const MEASURED_BATCHES = 200 / Number(divisor);
const BATCH = 10;
const LARGE_BATCH = 1000 / Number(divisor);
const REMAINING_MS = 300_000;

// Not imported: an import of a module of Node's own costs time that is not the bundle's.
const { readFileSync, writeSync } = process.getBuiltinModule('node:fs');

const load = async (): Promise<{ readonly handler: Handler }> =>
  file.endsWith('.cjs') ? process.getBuiltinModule('node:module').createRequire(file)(file) : await import(file);

const record = (identifier: number): SQSRecord => ({
  messageId: `00000000-0000-4000-8000-${String(identifier).padStart(12, '0')}`,
  receiptHandle: `receipt-${identifier}`,
  body: `{"identifier":${identifier},"requestId":"REQ${identifier}","requestedBy":"a.smith","reason":"change 4711"}`,
  attributes: {
    ApproximateReceiveCount: '1',
    SentTimestamp: String(Date.now()),
    SenderId: 'AIDAEXAMPLE',
    ApproximateFirstReceiveTimestamp: String(Date.now()),
  },
  messageAttributes: {},
  md5OfBody: '0'.repeat(32),
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:eu-west-1:123456789012:requests',
  awsRegion: 'eu-west-1',
});

const event = (messages: number): SQSEvent => ({
  Records: Array.from({ length: messages }, (_, index) => record(index + 1)),
});

const context = {
  callbackWaitsForEmptyEventLoop: true,
  functionName: 'enable-password',
  functionVersion: '$LATEST',
  invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:enable-password',
  memoryLimitInMB: '512',
  awsRequestId: '00000000-0000-4000-8000-000000000000',
  logGroupName: '/aws/lambda/enable-password',
  logStreamName: 'bench',
  getRemainingTimeInMillis: () => REMAINING_MS,
} as Context;

/** The peak of this process alone; what `resourceUsage` says may be its parent's, from before the exec. */
const peakBytes = (): number => {
  const high = process.platform === 'linux' && /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return (high ? Number(high) : process.resourceUsage().maxRSS) * 1024;
};

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const report = (reading: Reading): void => {
  writeSync(3, JSON.stringify(reading));
};

const { handler } = await load();

interface Took {
  readonly tookMs: number;
  readonly cpuMs: number;
}

const invoke = async (messages: number): Promise<Took> => {
  const batch = event(messages);
  const [startedAt, cpuBefore] = [performance.now(), cpuMs()];
  const { batchItemFailures } = await handler(batch, context);
  const took = { tookMs: performance.now() - startedAt, cpuMs: cpuMs() - cpuBefore };
  if (batchItemFailures.length > 0) throw new Error(`${batchItemFailures.length} of ${messages} messages were kept`);
  return took;
};

const measureWarm = async (): Promise<Took> => {
  for (let batch = 0; batch < WARM_UP_BATCHES; batch += 1) await invoke(BATCH);
  const cpuBefore = cpuMs();
  const times: number[] = [];
  for (let batch = 0; batch < MEASURED_BATCHES; batch += 1) times.push((await invoke(BATCH)).tookMs);
  const tookMs = times.sort((one, other) => one - other)[MEASURED_BATCHES / 2] ?? Number.NaN;
  // The clock of the CPU is too coarse for a single batch.
  return { tookMs, cpuMs: (cpuMs() - cpuBefore) / MEASURED_BATCHES };
};

await invoke(1);
const answeredAtNs = String(process.hrtime.bigint());
if (work === 'cold') report({ answeredAtNs, cpuMs: cpuMs(), messages: 1 });
if (work === 'warm') {
  report({ answeredAtNs, ...(await measureWarm()), messages: 1 + BATCH * (WARM_UP_BATCHES + MEASURED_BATCHES) });
}
if (work === 'large') {
  const took = await invoke(LARGE_BATCH);
  report({ answeredAtNs, ...took, peakBytes: peakBytes(), messages: 1 + LARGE_BATCH });
}
// Nobody waits for idle connections to end.
process.exit(0);
