/** A question with yes and no, where somebody is there to answer. */
import { drawn } from './print.ts';

export type Answer = 'yes' | 'no' | 'interrupted';

/** Whether a person reads and can answer. */
export const hasPerson = (): boolean => Boolean(process.stdin.isTTY && process.stderr.isTTY);

interface Key {
  readonly ctrl?: boolean;
  readonly name?: string;
}

/** The prompts wait forever once nothing can come any more: input that ended, or Ctrl-D, which says so on a terminal. */
const createEndOfInput = () => {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  const onKey = (_: unknown, { ctrl, name }: Key = {}): void => {
    if (ctrl && name === 'd') end();
  };
  process.stdin.on('end', end).on('close', end).on('keypress', onKey);
  return {
    signal: ended.signal,
    [Symbol.dispose]: () => void process.stdin.off('end', end).off('close', end).off('keypress', onKey),
  };
};

/** On standard error; the cursor begins on no, and input that ends means no. */
export const ask = async (question: string, signal?: AbortSignal): Promise<Answer> => {
  const { confirm, isCancel } = await import('@clack/prompts');
  using input = createEndOfInput();
  const ends = signal ? AbortSignal.any([signal, input.signal]) : input.signal;
  const answer = await confirm({ message: drawn(question), initialValue: false, output: process.stderr, signal: ends });
  if (isCancel(answer)) return input.signal.aborted ? 'no' : 'interrupted';
  return answer ? 'yes' : 'no';
};

/** A short text, such as a code. @returns `undefined` where it was interrupted, or nothing can come any more */
export const askText = async (question: string): Promise<string | undefined> => {
  const { isCancel, text } = await import('@clack/prompts');
  using input = createEndOfInput();
  const answer = await text({ message: drawn(question), output: process.stderr, signal: input.signal });
  return isCancel(answer) ? undefined : answer;
};
