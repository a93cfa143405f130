/**
 * How deep laws, simulations and crashes are tried. `npm test` takes a tenth of the random runs, other ones each time, so
 * that it ends in the time in which one waits for it; where CI=true is set, as `.ci/run` sets it, all are taken.
 * `CI=true npm test` takes all by hand.
 */
const isFull = !['', '0', 'false'].includes(process.env['CI'] ?? '');

/** @param all random runs in CI; @param least of them that even a short run takes */
export const runs = (all: number, least = 1): number =>
  isFull ? all : Math.min(all, Math.max(least, Math.ceil(all / 10)));

/** All of them in CI, else as many as `runs` says, drawn again each time. */
export const drawn = <Item>(all: readonly Item[], least = 1): readonly Item[] => {
  const left = [...all];
  const count = runs(all.length, least);
  while (left.length > count) left.splice(Math.floor(Math.random() * left.length), 1);
  return left;
};
