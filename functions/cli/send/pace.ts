/** How fast work goes, and how long it will still take. */
import { seconds } from '../terminal/print.ts';

/** Before that, a rate says nothing. */
const SETTLED_AFTER_MS = 1000;

const span = (ms: number): string => {
  if (ms < 60_000) return seconds(Math.max(1000, Math.round(ms / 1000) * 1000)).replace('.0 s', ' s');
  const minutes = Math.round(ms / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/** @returns `350/s, 40 s left`, or an empty text while it is too early to say */
export const createPace = (total: number, now: () => number): ((done: number) => string) => {
  const startedAt = now();
  return (done) => {
    const elapsedMs = now() - startedAt;
    if (elapsedMs < SETTLED_AFTER_MS || done === 0) return '';
    const perSecond = (done / elapsedMs) * 1000;
    const rate = perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond);
    return `${rate}/s, ${span(((total - done) / perSecond) * 1000)} left`;
  };
};
