/** What a test or a person can make a server do instead of its ordinary answer, and the real answers it can give. */
import answers from './answers.json' with { type: 'json' };
import type { WireAnswer } from './kong.ts';

/** What happens to one request instead of, or around, its ordinary answer. */
export type Fault =
  /** Kong's own answer with this status. */
  | {
      readonly kind: 'kong';
      readonly status: number;
      readonly message?: string;
      readonly headers?: Record<string, string>;
    }
  /** A real answer of infra/local/answers.json. */
  | { readonly kind: 'fixture'; readonly name: string }
  | ({ readonly kind: 'answer' } & WireAnswer)
  /** No answer at all; the connection stays open. */
  | { readonly kind: 'hang' }
  /** The connection is reset before an answer. */
  | { readonly kind: 'reset' }
  /** The connection ends in the middle of the answer. */
  | { readonly kind: 'cut' }
  /** The ordinary answer, late. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** Carried out, but the answer is a gateway time-out. */
  | { readonly kind: 'lost-answer' }
  /** No fault: lets a script say "and then as usual". */
  | { readonly kind: 'none' };

/** A seeded generator (mulberry32), so that a run with faults by rate can be repeated. */
export const seeded = (seed: number) => {
  let state = seed >>> 0;
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
};

export const fixture = (name: string): WireAnswer => {
  const found = answers.find((each) => each.name === name);
  if (!found) throw new Error(`infra/local/answers.json has no answer called ${name}`);
  return { status: found.status, headers: found.headers as Record<string, string>, body: found.body };
};

/** A misspelt fixture is a mistake of whoever scripts it, and told there. */
export const checked = (faults: readonly Fault[]): readonly Fault[] => {
  for (const fault of faults) if (fault.kind === 'fixture') fixture(fault.name);
  return faults;
};
