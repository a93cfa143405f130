/** The event source mapping as its owner sees it: delivery on or off, as UpdateEventSourceMapping switches it. */

/** AWS's own words (Lambda API Reference, "EventSourceMappingConfiguration", read 2026-11). */
export type MappingState = 'Enabled' | 'Disabling' | 'Disabled';

interface EventSource {
  readonly stop: () => Promise<void>;
}

export interface Mapping {
  readonly state: () => MappingState;
  readonly enable: () => Promise<void>;
  /** What is under way is finished first; nothing is lost. */
  readonly disable: () => Promise<void>;
}

export const createMapping = (start: () => EventSource): Mapping => {
  let source: EventSource | undefined;
  let stopping: Promise<void> | undefined;
  const disable = async (): Promise<void> => {
    if (!source) return stopping;
    const running = source;
    source = undefined;
    stopping = running.stop().finally(() => {
      stopping = undefined;
    });
    await stopping;
  };
  return {
    state: () => (source ? 'Enabled' : stopping ? 'Disabling' : 'Disabled'),
    enable: async () => {
      await stopping;
      source ??= start();
    },
    disable,
  };
};
