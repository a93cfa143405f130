/** What `local` shows: the samples of events/, and one message for every other kind of answer. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SQSEvent } from 'aws-lambda';
import type { Fault } from '../../../infra/local/faults.ts';
import { packageRoot } from '../../../infra/local/package-root.ts';
import type { PasswordState } from '../../../infra/local/segura.ts';

/** One message of the show, and what must become of it. */
export interface Scene {
  readonly title: string;
  readonly body: string;
  readonly outcome: 'enabled' | 'already-enabled' | 'rejected' | 'kept';
  readonly errorCode?: string;
  /** A password that Segura knows, and how its calls go. */
  readonly password?: readonly [identifier: number, state: PasswordState];
  readonly faults?: readonly Fault[];
  readonly fault?: Fault;
}

/** What the samples of events/ do not show: every other kind of answer. */
const SCENES: readonly Scene[] = [
  { title: 'already active', body: '20', outcome: 'already-enabled', password: [20, 'active'] },
  { title: 'no such password', body: '{"identifier": 404}', outcome: 'rejected', errorCode: '1005' },
  {
    title: 'no access',
    body: '{"identifier": 21}',
    outcome: 'rejected',
    errorCode: '1006',
    password: [21, 'no-access'],
  },
  {
    title: 'not an identifier of Segura',
    body: '22',
    outcome: 'rejected',
    errorCode: '1010',
    password: [22, 'disabled'],
    faults: [{ kind: 'fixture', name: 'invalid-identifier-1010' }],
  },
  { title: 'not a request', body: 'please enable 10', outcome: 'rejected', errorCode: 'InvalidMessage' },
  {
    title: 'approved for last year only',
    body: '{"identifier": 23, "notAfter": "2025-12-31T17:00:00Z"}',
    outcome: 'rejected',
    errorCode: 'Expired',
    password: [23, 'disabled'],
  },
  {
    title: 'gateway time-out, then fine',
    body: '24',
    outcome: 'enabled',
    password: [24, 'disabled'],
    faults: [{ kind: 'kong', status: 504 }],
  },
  {
    title: 'answer lost on the way back',
    body: '25',
    outcome: 'already-enabled',
    password: [25, 'disabled'],
    faults: [{ kind: 'lost-answer' }],
  },
  {
    title: 'too fast, Retry-After 1',
    body: '26',
    outcome: 'enabled',
    password: [26, 'disabled'],
    faults: [{ kind: 'kong', status: 429, headers: { 'retry-after': '1' } }],
  },
  {
    title: 'token refused, renewed',
    body: '27',
    outcome: 'enabled',
    password: [27, 'disabled'],
    faults: [{ kind: 'kong', status: 404 }],
  },
  {
    title: 'connection reset, then fine',
    body: '28',
    outcome: 'enabled',
    password: [28, 'disabled'],
    faults: [{ kind: 'reset' }],
  },
  {
    title: "Segura's own fault, twice",
    body: '29',
    outcome: 'kept',
    errorCode: 'HTTP500',
    password: [29, 'disabled'],
    fault: { kind: 'fixture', name: 'server-error-v4' },
  },
  {
    title: 'login page as an answer',
    body: '30',
    outcome: 'kept',
    errorCode: 'HTTP200',
    password: [30, 'disabled'],
    fault: { kind: 'fixture', name: 'login-page-as-200' },
  },
  {
    title: 'gateway down for good',
    body: '31',
    outcome: 'kept',
    errorCode: 'HTTP503',
    password: [31, 'disabled'],
    fault: { kind: 'kong', status: 503 },
  },
];

/** What a sample shows, in words; a new one is called after its file until it has some. */
const SAMPLE_TITLES: Readonly<Record<string, string>> = {
  'request-number.json': 'a number',
  'request-string.json': 'a number as text',
  'request-object.json': 'an object with its ticket',
  'request-object-string.json': 'an object, number as text',
  'request-sns.json': 'inside an SNS notification',
  'request-eventbridge.json': 'inside an EventBridge event',
};

/** The samples of events/, each a disabled password that gets enabled. */
const readSamples = async (): Promise<Scene[]> => {
  const folder = join(packageRoot, 'events');
  const names = (await readdir(folder)).filter((name) => /^request-.*\.json$/.test(name)).sort();
  return Promise.all(
    names.map(async (name, index): Promise<Scene> => {
      const { Records } = JSON.parse(await readFile(join(folder, name), 'utf8')) as SQSEvent;
      const body = Records[0]?.body ?? '';
      const identifier = Number(/identifier\D*(\d+)/.exec(body)?.[1] ?? /\d+/.exec(body)?.[0] ?? index);
      return {
        title: SAMPLE_TITLES[name] ?? name.replace(/\.json$/, ''),
        body,
        outcome: 'enabled',
        password: [identifier, 'disabled'],
      };
    }),
  );
};

export const readScenes = async (): Promise<readonly Scene[]> => [...(await readSamples()), ...SCENES];
