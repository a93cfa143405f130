/** Which letters of a turn go back to `requests`, which are duplicates, which stay: a pure plan, carried out in replay.ts. */
import { MAX_REPLAY_COUNT } from '../requests/provenance.ts';
import { expiredReason, parseRequest } from '../requests/request.ts';
import { type Letter, replayAttributes, requestKey } from './letter.ts';
import type { Outgoing } from './replay-entry.ts';
import { isSelected, type Selection } from './select.ts';

export interface ReplayOptions extends Selection {
  readonly limit?: number;
  /** Never more than so many messages in any second. */
  readonly rate?: number;
  readonly dryRun?: boolean;
  /** Requests that are expired, or of unknown age, are replayed too, as of now; needs a reason. */
  readonly renew?: boolean;
  readonly reason?: string;
  readonly replayedBy: string;
  /** As the function's MAX_REQUEST_AGE_SECONDS; 0 for no limit. */
  readonly maxRequestAgeSeconds: number;
  /** How long a letter stays invisible after we are gone without a word. */
  readonly visibilitySeconds?: number;
}

/** Why a letter stays, unless it is renewed. */
export type Stay = 'expired' | 'unknown-age';

export interface Plan {
  readonly outgoing: readonly Outgoing[];
  /** The same requests as ones that were sent, or will be by this plan. */
  readonly duplicates: readonly Letter[];
  readonly staying: readonly { readonly letter: Letter; readonly why: Stay }[];
}

export interface PlanParts {
  /** Requests that are on their way again (see requestKey), with the replay count that their letter had. */
  readonly sent: ReadonlyMap<string, number>;
  /** How many may still be sent. */
  readonly left: number;
  readonly now: number;
}

/** Since we sent it with that replay count; where its own does not say (it has no room, or is full), it may have. */
const mayHaveFailedAgain = ({ provenance, isCountKnown }: Letter, sentWith: number): boolean =>
  !isCountKnown || provenance.replayCount > sentWith || provenance.replayCount === MAX_REPLAY_COUNT;

const whyItStays = ({ body, provenance, isAgeKnown }: Letter, now: number, maxAgeSeconds: number): Stay | undefined => {
  if (!isAgeKnown) return 'unknown-age';
  const parsed = parseRequest(body);
  const request = parsed.kind === 'request' ? parsed.request : {};
  return expiredReason(request, provenance, now, maxAgeSeconds) === undefined ? undefined : 'expired';
};

/** What goes back for a letter, or why it stays. */
const prepare = (letter: Letter, options: ReplayOptions, now: number): Outgoing | Stay => {
  const { replayedBy, reason, renew = false, maxRequestAgeSeconds } = options;
  const outgoing = (renewedAt: Date | undefined): Outgoing => ({
    letter,
    ...replayAttributes(letter.body, letter.attributes, letter.provenance, { replayedBy, reason, renewedAt }),
    fate: renewedAt ? 'renewed' : 'replayed',
  });
  const why = whyItStays(letter, now, maxRequestAgeSeconds);
  const plain = why === undefined ? outgoing(undefined) : undefined;
  // Sent without its first sending, it would be as young as its replay.
  if (plain && !plain.dropped.includes('FirstSentAt')) return plain;
  return renew ? outgoing(new Date(now)) : (why ?? 'unknown-age');
};

export const planReplay = (
  letters: readonly Letter[],
  options: ReplayOptions,
  { sent, left, now }: PlanParts,
): Plan => {
  const outgoing: Outgoing[] = [];
  const duplicates: Letter[] = [];
  const staying: { letter: Letter; why: Stay }[] = [];
  const chosen = new Set<string>();
  for (const letter of letters) {
    if (!isSelected(letter, options)) continue;
    const key = requestKey(letter);
    const sentWith = sent.get(key);
    // Neither a duplicate nor for this run, which would never end.
    if (sentWith !== undefined && mayHaveFailedAgain(letter, sentWith)) continue;
    if (sentWith !== undefined || chosen.has(key)) {
      duplicates.push(letter);
      continue;
    }
    if (outgoing.length >= left) continue;
    const prepared = prepare(letter, options, now);
    if (typeof prepared === 'string') staying.push({ letter, why: prepared });
    else {
      chosen.add(key);
      outgoing.push(prepared);
    }
  }
  return { outgoing, duplicates, staying };
};
