/** `doctor --end-to-end`: takes away what the request left, once it was said where it stopped. */
import { sleep } from '../../time/sleep.ts';
import type { Target, TargetOptions } from '../target.ts';
import { type Check, failed, ok, step } from './check.ts';
import type { Seen, Sent } from './stopped.ts';
import { takeOut } from './take-out.ts';

/** A kept request's first wait is up to 58 s. */
const MOST_WAIT_MS = 60_000;
/** A kept request is looked for from a little before it comes back until it should have become a dead letter. */
const BEFORE_MS = 1000;
const AFTER_MS = 6000;
const LOOK_AGAIN_MS = 500;
/** Lambda's own pollers wait for it too: with more of ours it is likelier to come to us. */
const POLLERS = 4;
const POLL_SECONDS = 2;

const NAME = 'left behind';

/** What became of it, where it is settled. */
const judgeSettled = ({ messageId }: Sent, { line, hasLetter }: Seen): Check | undefined => {
  if (hasLetter || /enabled$/.test(line?.outcome ?? '')) return ok(NAME, 'nothing');
  if (line?.outcome !== 'rejected') return undefined;
  return failed(NAME, `the dead letter of ${messageId} is in the queue that REJECTED_QUEUE_URL of the function names`);
};

const leftBehind = ({ messageId }: Sent, where: string): Check =>
  failed(
    NAME,
    `request ${messageId} ${where}, and becomes a dead letter (Expired) once it is received: npx mysafe-enable dead-letters discard --message-id ${messageId}`,
  );

/** When a kept request is visible again, as far as its line says so. */
const comesBackAt = ({ line }: Seen): number | undefined =>
  line?.waitSeconds === undefined ? undefined : line.at.getTime() + line.waitSeconds * 1000;

interface Cleaning {
  readonly options: TargetOptions;
  readonly target: Target;
  readonly isOurs: (text: string) => boolean;
}

/** Looks again and again until `endsAt`, or until it was found. */
const lookUntil = async (endsAt: number, find: () => Promise<boolean>, isOver: () => boolean): Promise<boolean> => {
  do {
    if (await find()) return true;
    await sleep(LOOK_AGAIN_MS);
  } while (Date.now() < endsAt && !isOver());
  return false;
};

/** Its outcome event, where there is one; a reader that was quicker has it, and that is as good. */
const takeOutcome = async ({ options, target, isOurs }: Cleaning): Promise<void> => {
  const { outcomes } = target;
  if (outcomes === undefined) return;
  await lookUntil(
    Date.now() + AFTER_MS / 2,
    () => takeOut(options, outcomes, isOurs),
    () => false,
  );
};

/**
 * From `requests` as it comes back, or as the dead letter that it becomes. While the function cannot write, a dead letter is
 * not the end of it: then it has to be caught in `requests`.
 */
const catchKept = async (cleaning: Cleaning, backAt: number, canSettle: boolean): Promise<boolean> => {
  const { options, target, isOurs } = cleaning;
  const { requests = '', rejected = '' } = target;
  await sleep(Math.max(0, backAt - BEFORE_MS - Date.now()));
  const endsAt = backAt + AFTER_MS;
  let isGone = false;
  const note = (found: boolean): boolean => {
    isGone ||= found;
    return found;
  };
  const poll = async (): Promise<boolean> =>
    lookUntil(
      endsAt,
      async () => note(await takeOut(options, requests, isOurs, POLL_SECONDS)),
      () => isGone,
    );
  const settled = lookUntil(
    endsAt,
    async () => (await takeOut(options, rejected, isOurs)) && note(canSettle),
    () => isGone,
  );
  const found = await Promise.all([settled, ...Array.from({ length: POLLERS }, poll)]);
  if (found[0]) await takeOutcome(cleaning);
  return isGone;
};

/** Nobody has told of it: it waits in `requests`, or has just become a dead letter, or is in work. */
const lookOnce = async ({ options, target, isOurs }: Cleaning): Promise<boolean> => {
  for (const queue of [target.requests, target.rejected]) {
    if (queue !== undefined && (await takeOut(options, queue, isOurs))) return true;
  }
  return false;
};

export const cleanUp = step(
  'left behind',
  'end-to-end',
  ['target', 'request'],
  async ({ target, request }, context) => {
    const { sent, seen } = request;
    const { options } = context;
    const isOurs = (text: string): boolean => text.includes(sent.requestId) || text.includes(sent.messageId);
    const cleaning = { options, target, isOurs };
    const nothing = { checks: [ok(NAME, 'nothing')] };
    if (seen.line?.outcome !== 'kept') {
      const settled = judgeSettled(sent, seen);
      if (settled !== undefined) return { checks: [settled] };
      return (await lookOnce(cleaning)) ? nothing : { checks: [leftBehind(sent, 'is in work or waits')] };
    }
    const backAt = comesBackAt(seen);
    if (backAt === undefined || backAt - Date.now() > MOST_WAIT_MS) {
      const when =
        backAt === undefined ? 'after the visibility timeout of requests' : `at ${new Date(backAt).toISOString()}`;
      return { checks: [leftBehind(sent, `comes back ${when}`)] };
    }
    if (await catchKept(cleaning, backAt, seen.line.cause !== 'unconfirmed')) return nothing;
    return { checks: [leftBehind(sent, 'is in work or waits')] };
  },
);
