/**
 * The command line: what it prints and how it ends. It has a process of its own where a test is about one (signals, a
 * terminal, memory, what the shell sets), and is otherwise called in this one: see in-process.ts.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { SendMessageBatchCommand, type SendMessageBatchRequestEntry, SQSClient } from '@aws-sdk/client-sqs';
import { build } from 'esbuild';
import { cliOptions } from '../../infra/build.ts';
import type { QueueName, SimulatedSqs } from '../../infra/local/sqs.ts';
import { createMaker, root } from '../made-once.ts';
import { terminalEnvironment } from './at-terminal.ts';
import { createInProcess, LOOK_EVERY_MS } from './in-process.ts';

export interface CommandResult {
  /** `null` for one that was killed. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of standard output, where it is JSON. */
  readonly json: unknown;
  /** Not a number where it had no process of its own. */
  readonly maxRssMiB: number;
  /** Of its own processor time; not a number where it had no process of its own. */
  readonly cpuSeconds: number;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | AsyncIterable<string>;
  /** Called often while it runs, with what it has printed so far, until it gives a signal: that is sent. */
  readonly watch?: (stdout: string, stderr: string) => NodeJS.Signals | undefined;
  /** Called often while it runs and once when it has ended, with what it has printed so far. */
  readonly meanwhile?: (stdout: string, stderr: string) => void;
  readonly cwd?: string;
  /** At a terminal that is so wide; without it nobody reads what is printed. */
  readonly columns?: number;
  /**
   * Where the test is about a process in a way that the other options do not say, such as its memory. `false`: a call of
   * `local` that ends by itself.
   */
  readonly isProcess?: boolean;
  /** As it stands, and with its packages in files of their own. The local world is always: it looks for what is beside it. */
  readonly isFromSource?: boolean;
  /** An output whose reader goes away, as `head` does, once it has read so many bytes. */
  readonly closes?: { readonly output: 'stdout' | 'stderr'; readonly afterBytes: number };
}

const makeOnce = createMaker('command-line', ['functions', 'infra/local', 'package.json', 'package-lock.json']);
/** With all that it depends on in it, it starts in a third of the time: there are hundreds of starts. */
const bundle = (): Promise<string> =>
  makeOnce('bundle-with-require', async (folder) => {
    await build({
      ...cliOptions,
      entryPoints: { main: cliOptions.entryPoints.main },
      packages: 'bundle',
      // A package in CommonJS, such as the one that draws bars, asks for Node.js's own modules by it.
      banner: {
        js: `import { createRequire as toRequire } from 'node:module'; const require = toRequire(import.meta.url);`,
      },
      outdir: folder,
    });
  });
/** The file that a process runs. */
export const bundledMain = async (): Promise<string> => join(await bundle(), 'main.mjs');
const SOURCE = join(root, 'functions/cli/main.ts');
/** Tells at the end, beside standard error, what it took. */
const USAGE_HOOK = `data:text/javascript,import fs from 'node:fs';process.on('exit',()=>{try{fs.writeSync(3,JSON.stringify(process.resourceUsage()))}catch{}})`;

const lastJson = (stdout: string): unknown => {
  try {
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  } catch {
    return undefined;
  }
};

/** What a process needs of this one: nothing of AWS or of a terminal is inherited. */
export const shell = (): Record<string, string | undefined> => {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE };
};

/** What Node.js itself and the system read of an environment: there is one for each process. */
const OF_A_PROCESS = /^(?:NODE_(?!DISABLE_COLORS).*|FORCE_COLOR|PATH|HOME|TMPDIR|TZ|LANG|LC_.*)$/;

const needsProcess = (args: readonly string[], options: CommandOptions): boolean => {
  const { env = {}, watch, closes, isFromSource, isProcess = args[0] === 'local' } = options;
  const ofAProcess = Object.keys(env).some((name) => OF_A_PROCESS.test(name));
  return isProcess || isFromSource === true || Boolean(watch ?? closes) || ofAProcess;
};

const environmentFor = (env: CommandOptions['env']) => ({ ...shell(), AWS_EC2_METADATA_DISABLED: 'true', ...env });

const callInProcess = createInProcess(makeOnce);

export const runCommand = async (args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> => {
  if (needsProcess(args, options)) return runProcess(args, options);
  const { env, input, cwd, columns, meanwhile } = options;
  const result = await callInProcess({ args, env: environmentFor(env), input, cwd, columns, meanwhile });
  return { ...result, json: lastJson(result.stdout), maxRssMiB: Number.NaN, cpuSeconds: Number.NaN };
};

const runProcess = async (args: readonly string[], options: CommandOptions): Promise<CommandResult> => {
  const { env, input, watch, meanwhile, cwd, columns, closes, isFromSource = args[0] === 'local' } = options;
  const child = spawn(
    process.execPath,
    ['--import', USAGE_HOOK, isFromSource ? SOURCE : await bundledMain(), ...args],
    {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: { ...(columns === undefined ? {} : terminalEnvironment(columns)), ...environmentFor(env) },
      ...(cwd ? { cwd } : {}),
    },
  );
  const texts = ['', '', '', ''];
  for (const index of [1, 2, 3]) {
    child.stdio[index]?.on('data', (chunk: Buffer) => {
      texts[index] = `${texts[index] ?? ''}${chunk}`;
    });
  }
  if (closes) {
    const output = child[closes.output];
    const close = (): void => {
      const index = closes.output === 'stdout' ? 1 : 2;
      if ((texts[index] ?? '').length >= closes.afterBytes) output.destroy();
    };
    output.on('data', close);
    close();
  }
  child.stdin.on('error', () => {}); // it may end before it has read all
  const feed = async (): Promise<void> => {
    if (typeof input === 'object') {
      for await (const chunk of input) {
        if (!child.stdin.write(chunk)) await new Promise((resolve) => child.stdin.once('drain', resolve));
      }
    }
    child.stdin.end(typeof input === 'string' ? input : undefined);
  };
  const look = (): void => {
    meanwhile?.(texts[1] ?? '', texts[2] ?? '');
    const signal = isSignalled ? undefined : watch?.(texts[1] ?? '', texts[2] ?? '');
    if (!signal) return;
    isSignalled = true;
    child.kill(signal);
  };
  let isSignalled = false;
  const timer = watch || meanwhile ? setInterval(look, LOOK_EVERY_MS) : undefined;
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  // It may end before its input does.
  const status = await Promise.race([closed, feed().then(() => closed)]);
  clearInterval(timer);
  meanwhile?.(texts[1] ?? '', texts[2] ?? '');
  const [, stdout = '', stderr = '', usage = ''] = texts;
  const { maxRSS = 0, userCPUTime = 0, systemCPUTime = 0 } = JSON.parse(usage || '{}') as Partial<NodeJS.ResourceUsage>;
  const took = { maxRssMiB: maxRSS / 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 };
  return { status, stdout, stderr, json: lastJson(stdout), ...took };
};

const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

/** What an operator's shell would have set. */
export const environmentOf = (sqs: SimulatedSqs): Record<string, string> => ({
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  AWS_ENDPOINT_URL_SQS: sqs.url,
  SOURCE_QUEUE_URL: sqs.queueUrl('requests'),
  REJECTED_QUEUE_URL: sqs.queueUrl('rejected'),
  EXHAUSTED_QUEUE_URL: sqs.queueUrl('exhausted'),
});

export interface LetterOptions {
  readonly identifier?: number;
  readonly body?: string;
  readonly code?: string;
  readonly originalMessageId?: string;
  readonly failedAt?: Date;
  readonly firstSentAt?: Date;
  readonly replayCount?: number;
  readonly attributes?: NonNullable<SendMessageBatchRequestEntry['MessageAttributes']>;
  readonly groupId?: string;
  readonly traceHeader?: string;
}

const text = (StringValue: string) => ({ DataType: 'String', StringValue });

/** A dead letter as the function writes it; without `code`, as SQS moves it. */
export const letterEntry = (options: LetterOptions): Omit<SendMessageBatchRequestEntry, 'Id'> => {
  const { identifier = 10, body = JSON.stringify({ identifier }), code, groupId, traceHeader } = options;
  const { failedAt = new Date(), firstSentAt = failedAt, replayCount = 0 } = options;
  return {
    MessageBody: body,
    MessageAttributes: {
      ...options.attributes,
      ...(code
        ? {
            ErrorCode: text(code),
            ErrorMessage: text(`${code}: simulated`),
            FailedAt: text(failedAt.toISOString()),
            OriginalMessageId: text(options.originalMessageId ?? crypto.randomUUID()),
            FirstSentAt: text(firstSentAt.toISOString()),
            ReplayCount: { DataType: 'Number', StringValue: String(replayCount) },
          }
        : {}),
    },
    ...(groupId ? { MessageGroupId: groupId, MessageDeduplicationId: crypto.randomUUID() } : {}),
    ...(traceHeader
      ? { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } } }
      : {}),
  };
};

/** Puts letters into a queue, in order where there are few. */
export const putLetters = async (
  sqs: SimulatedSqs,
  queue: QueueName,
  letters: readonly LetterOptions[],
): Promise<void> => {
  const client = new SQSClient({ endpoint: sqs.url, region: 'us-east-1', credentials: CREDENTIALS });
  const batches = Array.from({ length: Math.ceil(letters.length / 10) }, (_, index) =>
    letters.slice(index * 10, index * 10 + 10),
  ).values();
  const worker = async (): Promise<void> => {
    for (const batch of batches) {
      const Entries = batch.map((letter, index) => ({ Id: String(index), ...letterEntry(letter) }));
      const { Failed = [] } = await client.send(
        new SendMessageBatchCommand({ QueueUrl: sqs.queueUrl(queue), Entries }),
      );
      if (Failed.length > 0) throw new Error(`not seeded: ${Failed[0]?.Code}`);
    }
  };
  await Promise.all(Array.from({ length: sqs.isFifo ? 1 : 8 }, worker));
  client.destroy();
};
