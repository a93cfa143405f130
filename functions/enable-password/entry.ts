/** Into a call: a place and the gate together. A place is held by a call, so whoever waits at the gate holds none. */
import type { Entry, Gate } from './gate.ts';
import type { Places } from './places.ts';

interface Doors {
  readonly gate: Gate;
  readonly places: Places;
}

/** With a place where it passes, and without one where it is stopped. At once where nobody has to wait. */
export const comeIn = (doors: Doors, identifier: number): Entry | Promise<Entry> => {
  const turn = doors.places.take();
  return turn ? turn.then(() => enter(doors, identifier)) : enter(doors, identifier);
};

const enter = (doors: Doors, identifier: number): Entry | Promise<Entry> => {
  const entry = doors.gate.enter(identifier);
  if (entry instanceof Promise) {
    doors.places.leave();
    return afterWait(doors, identifier, entry);
  }
  if (entry.kind === 'stop') doors.places.leave();
  return entry;
};

/** A probe only needs its place; any other asks again once it has one, for the gate may have closed meanwhile. */
const afterWait = async (doors: Doors, identifier: number, waiting: Promise<Entry>): Promise<Entry> => {
  const entry = await waiting;
  if (entry.kind === 'stop') return entry;
  if (!entry.isProbe) return comeIn(doors, identifier);
  await doors.places.take();
  return entry;
};
