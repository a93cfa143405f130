/** Takes one sample: a fresh process for one bundle and one piece of work, beside stand-ins that outlive it. */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Settings, type StandIns, secretFor } from './stand-ins.ts';

/** From nothing to one answered message; many batches of ten; one batch of a thousand. */
export type Work = 'cold' | 'warm' | 'large';

/** What the launcher says. */
export interface Reading {
  /** Of the first message, by the clock that all processes of a machine share. */
  readonly answeredAtNs: string;
  readonly tookMs?: number;
  /** User and system time: of the whole process for `cold`, of one batch otherwise. */
  readonly cpuMs: number;
  readonly peakBytes?: number;
  readonly messages: number;
}

export interface Sample extends Reading {
  readonly coldStartMs: number;
}

export interface Bench {
  readonly standIns: StandIns;
  /** A tenth of the work. */
  readonly isQuick: boolean;
  /** Requests to enable since this was asked before. */
  readonly countEnabled: () => Promise<number>;
  readonly stop: () => void;
}

/** Starts the vaults and Secrets Manager. `stop` ends them. */
export const startStandIns = async (settings: Settings, isQuick: boolean): Promise<Bench> => {
  const child = fork(join(import.meta.dirname, 'stand-ins.ts'));
  const ask = async <Answer>(message: Settings | 'count'): Promise<Answer> => {
    child.send(message);
    const [answer] = await once(child, 'message');
    return answer as Answer;
  };
  return {
    standIns: await ask<StandIns>(settings),
    isQuick,
    countEnabled: () => ask<number>('count'),
    stop: () => child.disconnect(),
  };
};

export interface Subject {
  readonly launcher: string;
  readonly bundle: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly callsSegura: boolean;
}

/** What Lambda and the template set; nothing of the shell that runs the benchmark. */
const environmentFor = (work: Work, { atOnceUrl, waitingUrl, secretsManagerUrl, caFile }: StandIns) => {
  const url = work === 'large' ? waitingUrl : atOnceUrl;
  return {
    SEGURA_SECRET_ID: url,
    SEGURA_SECRET: secretFor(url),
    SOURCE_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/requests',
    REJECTED_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/rejected',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManagerUrl,
    AWS_ENDPOINT_URL_SQS: secretsManagerUrl,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'example',
    AWS_SESSION_TOKEN: 'example',
    POWERTOOLS_SERVICE_NAME: 'mysafe-enable',
    POWERTOOLS_METRICS_NAMESPACE: 'mysafe-enable',
    ...(work === 'large' ? { SEGURA_CONCURRENCY: '500' } : {}),
    // Trusted in one way by all: `fetch` and the AWS SDK take no authority from the secret.
    ...(caFile ? { NODE_EXTRA_CA_CERTS: caFile } : {}),
  };
};

const TAIL_CHARACTERS = 2000;

/** @throws Error where a message was not answered, or Segura was not asked once for each. */
export const takeSample = async (subject: Subject, work: Work, bench: Bench): Promise<Sample> => {
  const startedAtNs = process.hrtime.bigint();
  const child = spawn(process.execPath, [subject.launcher, subject.bundle, work, bench.isQuick ? '10' : '1'], {
    env: { ...environmentFor(work, bench.standIns), ...subject.environment },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const [, out, err, answer] = child.stdio;
  if (!out || !err || !answer || !('read' in answer)) throw new Error('the process has no pipes');
  // Log lines are read as fast as they come, as Lambda does: a full pipe would stop the handler.
  const [said, lines, faults] = await Promise.all([text(answer), text(out), text(err), once(child, 'close')]);
  if (said === '')
    throw new Error(`${subject.bundle}, ${work}: no answer\n${(lines + faults).slice(-TAIL_CHARACTERS)}`);
  const reading = JSON.parse(said) as Reading;
  const asked = await bench.countEnabled();
  const expected = subject.callsSegura ? reading.messages : 0;
  if (asked !== expected) throw new Error(`${subject.bundle}, ${work}: ${asked} requests for ${expected} messages`);
  return { ...reading, coldStartMs: Number(BigInt(reading.answeredAtNs) - startedAtNs) / 1e6 };
};
