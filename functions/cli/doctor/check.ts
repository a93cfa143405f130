/** One line of the doctor's list, and what a check needs to know before it can be made. */
import type { Secret } from '../../segura/secret.ts';
import type { Token } from '../../segura/token.ts';
import type { Target, TargetOptions } from '../target.ts';
import type { Clock } from './clock.ts';
import type { Recorded } from './record.ts';
import type { Seen, Sent } from './stopped.ts';

export interface Check {
  readonly name: string;
  /** `null` for what was not checked, which is not counted as wrong. */
  readonly ok: boolean | null;
  /** What was found; where it is wrong, what to fix; where it was not checked, why. */
  readonly detail: string;
}

export const ok = (name: string, detail: string): Check => ({ name, ok: true, detail });
export const failed = (name: string, detail: string): Check => ({ name, ok: false, detail });
export const notChecked = (name: string, why: string): Check => ({ name, ok: null, detail: `not checked: ${why}` });

/** What `--only` takes. */
export const TOPICS = ['configuration', 'queues', 'secret', 'segura', 'function', 'clock'] as const;
export type Topic = (typeof TOPICS)[number] | 'end-to-end';

/** What earlier steps found out. */
export interface Facts {
  readonly target?: Target;
  readonly secretId?: string;
  readonly secret?: Secret;
  /** Every host of the secret was reached, by TLS where it has to be. */
  readonly isReachable?: true;
  readonly token?: Token;
  /** What was sent from end to end, and what was seen of it. */
  readonly request?: { readonly sent: Sent; readonly seen: Seen };
}

/** Why a step was left out, by what it needs. */
export const MISSING: Readonly<Record<keyof Facts, string>> = {
  target: 'nothing is configured',
  secretId: 'its name is not known',
  secret: 'the secret has to be fixed first',
  isReachable: 'Segura cannot be reached',
  token: 'there is no token',
  request: 'nothing was sent',
};

/** What all steps share. */
export interface Context {
  readonly options: TargetOptions;
  readonly clock: Clock;
  /** Each harmless answer, for `--record`. */
  readonly recorded: Recorded[];
  readonly isRecording: boolean;
}

export interface Found {
  readonly checks: readonly Check[];
  readonly facts?: Facts;
}

export interface Step {
  /** Stands in the list where the step cannot be made. */
  readonly title: string;
  readonly topic: Topic;
  readonly needs: readonly (keyof Facts)[];
  readonly run: (facts: Facts, context: Context) => Promise<Found>;
}

type Known<Need extends keyof Facts> = Facts & { readonly [Name in Need]-?: NonNullable<Facts[Name]> };

/** A step whose `run` is given exactly what it needs. */
export const step = <Need extends keyof Facts = never>(
  title: string,
  topic: Topic,
  needs: readonly Need[],
  run: (facts: Known<Need>, context: Context) => Promise<Found>,
): Step => ({ title, topic, needs, run: run as Step['run'] });
