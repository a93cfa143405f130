/** A question with yes and no, where somebody is there to answer. */
import { drawn } from './print.ts';

export type Answer = 'yes' | 'no' | 'interrupted';

/** Whether a person reads and can answer. */
export const hasPerson = (): boolean => Boolean(process.stdin.isTTY && process.stderr.isTTY);

/** On standard error; the cursor begins on no. */
export const ask = async (question: string, signal?: AbortSignal): Promise<Answer> => {
  const { confirm, isCancel } = await import('@clack/prompts');
  const message = drawn(question);
  const answer = await confirm({ message, initialValue: false, output: process.stderr, ...(signal ? { signal } : {}) });
  if (isCancel(answer)) return 'interrupted';
  return answer ? 'yes' : 'no';
};

/** A short text, such as a code. @returns `undefined` where it was interrupted */
export const askText = async (question: string): Promise<string | undefined> => {
  const { isCancel, text } = await import('@clack/prompts');
  const answer = await text({ message: drawn(question), output: process.stderr });
  return isCancel(answer) ? undefined : answer;
};
