/** Keys of the terminal for what the page has buttons for. */
import type { Console } from '../../../infra/local/console/console.ts';
import { readFaultOrder, readReplayOrder, readSendOrder } from '../../../infra/local/console/orders.ts';

interface Key {
  readonly does: string;
  /** @returns what to tell */
  readonly act: (console: Console) => Promise<string>;
}

const send = async (console: Console, count: number): Promise<string> => {
  const { length } = await console.send(readSendOrder({ identifier: 10, count, source: 'local console' }));
  return `${length} sent`;
};

export const KEYS: Readonly<Record<string, Key>> = {
  s: { does: 'send', act: (console) => send(console, 1) },
  c: { does: 'a hundred', act: (console) => send(console, 100) },
  b: {
    does: 'break',
    act: async (console) => {
      console.break(readFaultOrder({}, Date.now()));
      return 'Segura is broken: 503 for all';
    },
  },
  h: { does: 'heal', act: async (console) => `healed; ${await console.heal()} kept are back` },
  p: {
    does: 'pause',
    act: async (console) => {
      const { isPaused } = console.snapshot();
      await (isPaused ? console.resume() : console.pause());
      return isPaused ? 'delivery goes on' : 'delivery is paused';
    },
  },
  r: {
    does: 'replay',
    act: async (console) => `dead letters: ${JSON.stringify(await console.replay(readReplayOrder({})))}`,
  },
};

const INTERRUPT = '\u0003';

/** Where a person sits at a terminal. @returns what gives the terminal back */
export const listenToKeys = (console: Console, tell: (text: string) => void): (() => void) => {
  const { stdin } = process;
  if (!stdin.isTTY || !process.stdout.isTTY) return () => {};
  const onKey = (key: string): void => {
    // In this mode the terminal sends no signal itself.
    if (key === INTERRUPT) process.kill(process.pid, 'SIGINT');
    KEYS[key]?.act(console).then(tell, (error: Error) => tell(`${error.name}: ${error.message}`));
  };
  stdin.setRawMode(true).setEncoding('utf8').on('data', onKey).resume();
  return () => {
    stdin.off('data', onKey).setRawMode(false).pause();
  };
};
