/** Which fault the next call meets: of one call, of one identifier, the next of a script, an outage, or one by rate. */
import { checked, type Fault, seeded } from './faults.ts';

export interface FaultSettings {
  /** Holds for every enable call while it is set. */
  outage: Fault | undefined;
  tokenOutage: Fault | undefined;
  /** Asked at each call, with its identifier, and at each token request, without one. */
  faultFor: ((identifier: string | undefined) => Fault | undefined) | undefined;
  /** A fault for a share of the calls, repeatable by its seed. */
  rate: { share: number; random: () => number; faults: readonly Fault[] } | undefined;
}

const byRate = ({ rate }: FaultSettings): Fault | undefined =>
  rate && rate.random() < rate.share ? rate.faults[Math.floor(rate.random() * rate.faults.length)] : undefined;

export const createScript = (settings: FaultSettings) => {
  const ofEnable: Fault[] = [];
  const ofToken: Fault[] = [];
  const ofIdentifier = new Map<string, Pick<Fault[], 'shift'>>();
  const ofCall = new Map<number, Fault>();
  let calls = 0;

  return {
    metByToken: (): Fault =>
      ofToken.shift() ?? settings.tokenOutage ?? settings.faultFor?.(undefined) ?? { kind: 'none' },
    metByEnable: (identifier: string): Fault | undefined => {
      calls += 1;
      const scripted =
        ofCall.get(calls) ??
        ofIdentifier.get(identifier)?.shift() ??
        ofEnable.shift() ??
        settings.outage ??
        settings.faultFor?.(identifier);
      // Drawn for every call, so that a run with the same seed is the same run whatever else is scripted.
      const drawn = byRate(settings);
      return scripted ?? drawn;
    },
    /** For whoever scripts it. */
    orders: {
      /** The next enable calls, in order, whatever their identifier. */
      next: (...faults: Fault[]): void => void ofEnable.push(...checked(faults)),
      nextToken: (...faults: Fault[]): void => void ofToken.push(...checked(faults)),
      /** The next calls for one identifier. */
      nextFor: (identifier: number, ...faults: Fault[]): void => {
        const key = String(identifier);
        const before = ofIdentifier.get(key);
        ofIdentifier.set(key, [...(Array.isArray(before) ? before : []), ...checked(faults)]);
      },
      /** Every call for one identifier from now on. */
      always: (identifier: number, fault: Fault): void => {
        checked([fault]);
        ofIdentifier.set(String(identifier), { shift: () => fault });
      },
      /** The n-th enable call, from 1. */
      atCall: (call: number, fault: Fault): void => void ofCall.set(call, fault),
      byRate: (share: number, seed: number, ...faults: Fault[]): void => {
        settings.rate = { share, random: seeded(seed), faults };
      },
    },
  };
};
