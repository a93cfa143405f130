/** What is known of each message and each invocation, and what was found wrong: with the seed and the message's story. */
import type { SQSRecord } from 'aws-lambda';
import type { Outcome } from '../../functions/audit/line.ts';
import type { Clock } from '../virtual-time/clock.ts';

export type Random = () => number;

/** What Segura itself decided on a password, as opposed to what its gateway said. */
export type Verdict = 'enabled' | 'already-enabled' | '1005' | '1006' | '1010';
export const isEnabled = (verdict: Verdict): boolean => verdict === 'enabled' || verdict === 'already-enabled';

/** One message, as it was sent and as far as it has come. */
export interface Story {
  readonly messageId: string;
  /** Another id for a replayed message. */
  readonly originalMessageId: string;
  readonly identifier: number;
  /** In the order of sending. */
  readonly index: number;
  readonly groupId: string;
  readonly body: string;
  readonly isInvalid: boolean;
  /** Of the request: where it was replayed, before it was sent. */
  readonly firstSentAt: number;
  readonly sentAt: number;
  /** By a replay that renews: its age counts from here, and an older `notAfter` is void. */
  readonly renewedAt?: number | undefined;
  readonly notAfter: number | undefined;
  /** The codes of its dead letters. */
  readonly letters: string[];
  /** When it was first enabled or rejected. */
  settledAt?: number;
  isEnabled: boolean;
  isDeleted: boolean;
  isExhausted: boolean;
  receives: number;
  crashes: number;
  readonly trace: string[];
}

/** One invocation. */
export interface Run {
  readonly id: number;
  readonly environment: number;
  readonly startedAt: number;
  readonly stories: ReadonlyMap<string, Story>;
  /** Calls by message; of these, that no answer of Segura came to. */
  readonly calls: Map<string, number>;
  failedCalls: number;
  readonly failedIdentifiers: Set<number>;
  tokenRequests: number;
  secretRequests: number;
  /** What reached this invocation: Segura's yes, SQS's confirmation of a dead letter, of an outcome event. */
  readonly enabled: Set<string>;
  readonly rejected: Set<string>;
  readonly told: Set<string>;
  readonly outcomes: Map<string, Outcome['decision']>;
  /** Messages whose visibility timeout was changed. */
  readonly waits: Set<string>;
  /** By message: until when its last answer asked to stay away. */
  readonly askedUntil: Map<string, number>;
  /** It stood still for a while, which is no fault of ours. */
  wasFrozen: boolean;
  /** A call of it never ends, whatever its time limit. */
  wasDeaf: boolean;
  hasAnswered: boolean;
  /** Segura itself said something. */
  hasHeard: boolean;
}

const FIRST_EVENTS = 10;
const LAST_EVENTS = 60;
export const MAX_REQUEST_AGE_SECONDS = 345_600;

/** `keepsTraces`: with very many messages their stories would not fit into memory. */
export const createLedger = (seed: number, kind: string, clock: Clock, keepsTraces = true) => {
  const startsAt = clock.now();
  const stories = new Map<string, Story>();
  const byIdentifier = new Map<number, Story>();
  const byOriginal = new Map<string, Story>();
  const groups = new Map<string, Story[]>();
  const violations: string[] = [];
  let runs = 0;

  const at = (): string => `${((clock.now() - startsAt) / 1000).toFixed(3).padStart(11)} s`;

  const tell = (story: Story | undefined, text: string): void => {
    if (!story || !keepsTraces) return;
    if (story.trace.length >= FIRST_EVENTS + LAST_EVENTS) story.trace.splice(FIRST_EVENTS, 1);
    story.trace.push(`${at()}  ${text}`);
  };

  const violate = (what: string, story?: Story): void => {
    const { messageId, identifier, groupId, body } = story ?? {};
    const about =
      story && `\n  ${messageId}, identifier ${identifier}, ${groupId}, ${body}\n  ${story.trace.join('\n  ')}`;
    violations.push(`seed ${seed} (${kind}) at ${at().trim()}: ${what}${about ?? ''}`);
  };

  /** Its first effect: an earlier one of its group must not come after it. */
  const settle = (story: Story, isFifo: boolean): void => {
    if (story.settledAt !== undefined) return;
    story.settledAt = clock.now();
    if (!isFifo) return;
    const open = groups
      .get(story.groupId)
      ?.find(({ settledAt, isExhausted }) => settledAt === undefined && !isExhausted);
    if (open && open.index < story.index) {
      violate(`settled before ${open.messageId} of its group, which then had: ${open.trace.at(-1)}`, story);
    }
  };

  return {
    stories,
    violations,
    tell,
    violate,
    settle,
    storyOf: (identifier: number): Story | undefined => byIdentifier.get(identifier),
    storyOfOriginal: (originalMessageId: string): Story | undefined => byOriginal.get(originalMessageId),
    add: (story: Story): void => {
      byOriginal.set(story.originalMessageId, story);
      stories.set(story.messageId, story);
      byIdentifier.set(story.identifier, story);
      const group = groups.get(story.groupId);
      if (group) group.push(story);
      else groups.set(story.groupId, [story]);
      tell(story, 'sent');
    },
    begin: (environment: number, records: readonly SQSRecord[]): Run => {
      runs += 1;
      const received = new Map<string, Story>();
      for (const { messageId, attributes } of records) {
        const story = stories.get(messageId);
        if (!story) continue;
        received.set(messageId, story);
        tell(story, `receive ${attributes.ApproximateReceiveCount}: environment ${environment}, invocation ${runs}`);
      }
      return {
        id: runs,
        environment,
        startedAt: clock.now(),
        stories: received,
        calls: new Map(),
        failedCalls: 0,
        failedIdentifiers: new Set(),
        tokenRequests: 0,
        secretRequests: 0,
        enabled: new Set(),
        rejected: new Set(),
        told: new Set(),
        outcomes: new Map(),
        waits: new Set(),
        askedUntil: new Map(),
        wasFrozen: false,
        wasDeaf: false,
        hasAnswered: false,
        hasHeard: false,
      };
    },
    /** Whether the request may no longer be carried out at `moment`. */
    isExpired: ({ notAfter = Infinity, firstSentAt, renewedAt = -Infinity }: Story, moment: number): boolean =>
      (moment > notAfter && notAfter >= renewedAt) ||
      moment - Math.max(firstSentAt, renewedAt) > MAX_REQUEST_AGE_SECONDS * 1000,
  };
};

export type Ledger = ReturnType<typeof createLedger>;
