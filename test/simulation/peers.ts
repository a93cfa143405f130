/**
 * What one would otherwise deploy, in the same outage: each as its own page sets it up. A handler over middy + axios or
 * Powertools Batch reports a failed record and leaves the rest to SQS (see test/bench/subjects, which is that code): it
 * waits out the queue's visibility timeout, and after `maxReceiveCount` receives SQS moves it to the dead-letter queue.
 * So a request's times are known beforehand, and need no clock.
 */
import type { Moment } from '../pictures/specs.ts';

export interface Peer {
  readonly name: string;
  readonly visibilitySeconds: number;
  readonly maxReceiveCount: number;
}

export const PEERS: readonly Peer[] = [
  // AWS Lambda Developer Guide, "Configuring an Amazon SQS queue": at least five receives, and six times the function's
  // time-out, here 30 s. middy's page leaves the queue to its reader.
  { name: 'middy + axios', visibilitySeconds: 180, maxReceiveCount: 5 },
  // Powertools for AWS Lambda, "Batch Processing", the SAM template of its getting started (read 2026-11).
  { name: 'Powertools Batch', visibilitySeconds: 30, maxReceiveCount: 2 },
];

interface Fate {
  readonly sentAt: number;
  readonly endsAt: number;
  readonly isEnabled: boolean;
}

/** Of one request: a receive at once, and one after each visibility timeout. */
const fateOf = (sentAt: number, outageSeconds: number, { visibilitySeconds, maxReceiveCount }: Peer): Fate => {
  for (let receive = 0; receive < maxReceiveCount; receive += 1) {
    const at = sentAt + receive * visibilitySeconds;
    if (at >= outageSeconds) return { sentAt, endsAt: at, isEnabled: true };
  }
  return { sentAt, endsAt: sentAt + maxReceiveCount * visibilitySeconds, isEnabled: false };
};

/** @param sentAt seconds from the beginning of the outage, of each request */
export const simulatePeer = (
  peer: Peer,
  sentAt: readonly number[],
  outageSeconds: number,
  samples: number,
): readonly Moment[] => {
  const fates = sentAt.map((at) => fateOf(at, outageSeconds, peer));
  const endsAt = Math.max(outageSeconds, ...fates.map((fate) => fate.endsAt));
  return Array.from({ length: samples + 1 }, (_, index): Moment => {
    const at = (endsAt * index) / samples;
    const sent = fates.filter((fate) => fate.sentAt <= at);
    const ended = sent.filter((fate) => fate.endsAt <= at);
    const enabled = ended.filter(({ isEnabled }) => isEnabled).length;
    const kept = sent.length - ended.length;
    return { atSeconds: at, waiting: 0, kept, enabled, exhausted: ended.length - enabled };
  });
};

/** What becomes of so many requests with each peer, sent at the same moments, evenly over the outage. */
export const simulatePeers = (outageSeconds: number, requests: number, samples: number) => {
  const sentAt = Array.from({ length: requests }, (_, index) => ((index + 1) * outageSeconds) / (requests + 1));
  return PEERS.map((peer) => ({ name: peer.name, series: simulatePeer(peer, sentAt, outageSeconds, samples) }));
};
