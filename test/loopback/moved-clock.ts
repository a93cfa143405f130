/** The clock of the function's process goes ahead by what an event says: hours pass, and nobody waits for them. */
import { batchResponse, type World } from '../../infra/local/world.ts';

const CLOCK = `const { now } = Date; let aheadMs = 0; Date.now = () => now() + aheadMs;
process.on('message', ({ event }) => { aheadMs = event?.clockAheadMs ?? aheadMs; });`;

/** For the environment of a world's function. */
export const MOVABLE_CLOCK = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(CLOCK)}` };

/** What is visible goes through the function, so much later. @returns the ids of what is kept */
export const invokeLater = async (world: World, clockAheadMs: number): Promise<string[]> => {
  const Records = await world.receiveRecords();
  const { batchItemFailures } = batchResponse(await world.invoke({ Records, clockAheadMs }));
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
};
