/** While Segura is down for everybody: what an execution environment that has learnt so may still call. */
import type { Clock } from '../virtual-time/clock.ts';
import type { Ledger, Run, Verdict } from './ledger.ts';
import type { Weather } from './weather.ts';

/** The contract: five failures in a row from at least three identifiers, and then one call in 10 s. */
const FAILURES_TO_KNOW = 5;
const IDENTIFIERS_TO_KNOW = 3;
const PACE_MS = 10_000;

interface Learning {
  failures: number;
  readonly identifiers: Set<number>;
  /** When it had learnt of the outage. */
  knowsSince?: number;
  lastCallAt: number;
}

export const createPace = (clock: Clock, { violate }: Ledger, weather: Weather) => {
  const environments = new Map<number, Learning>();
  const learningOf = ({ environment }: Run): Learning => {
    const known = environments.get(environment);
    if (known) return known;
    const learning: Learning = { failures: 0, identifiers: new Set(), lastCallAt: Number.NEGATIVE_INFINITY };
    environments.set(environment, learning);
    return learning;
  };
  /** All calls fail now, so that nobody has reason to call more. */
  const isDown = (): boolean =>
    weather.segura.some(({ from, to, share }) => share === 1 && clock.now() >= from && clock.now() < to);

  return {
    onCall: (run: Run): void => {
      const learning = learningOf(run);
      const { knowsSince, lastCallAt } = learning;
      learning.lastCallAt = clock.now();
      if (!weather.isOutage || knowsSince === undefined || lastCallAt <= knowsSince || !isDown()) return;
      const ms = clock.now() - lastCallAt;
      if (ms < PACE_MS) violate(`environment ${run.environment} knows of the outage, and calls twice in ${ms} ms`);
    },
    onAnswer: (run: Run, identifier: number, verdict: Verdict | undefined): void => {
      const learning = learningOf(run);
      if (verdict !== undefined) {
        environments.delete(run.environment);
        return;
      }
      learning.failures += 1;
      learning.identifiers.add(identifier);
      if (learning.failures < FAILURES_TO_KNOW || learning.identifiers.size < IDENTIFIERS_TO_KNOW) return;
      learning.knowsSince ??= clock.now();
    },
  };
};
