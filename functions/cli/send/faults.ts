/** What is wrong with many lines, told so that it can be read: of each kind the first, then how many more there are. */
import { paint, plural } from '../terminal/print.ts';

const TOLD_OF_A_KIND = 20;

export interface Faults {
  /** `kind` is told with each place, and once with the count of those that were not named. */
  readonly add: (place: string, kind: string) => void;
  /** Tells how many were not named. */
  readonly end: () => void;
}

export const createFaults = (tell: (text: string) => void): Faults => {
  const counts = new Map<string, number>();
  const cross = paint('red', '✗');
  return {
    add: (place, kind) => {
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      if (count <= TOLD_OF_A_KIND) tell(`${cross} ${place}: ${kind}`);
    },
    end: () => {
      for (const [kind, count] of counts) {
        if (count > TOLD_OF_A_KIND) tell(`${cross} and ${plural(count - TOLD_OF_A_KIND, 'more', 'more')}: ${kind}`);
      }
      counts.clear();
    },
  };
};
