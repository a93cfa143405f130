/** `mysafe-enable pause` and `resume`: the event source mapping off and on. Messages stay in `requests` meanwhile. */
import { createDeliveries, type Delivery, noDelivery } from '../delivery.ts';
import { findTarget } from '../target.ts';
import { ask, hasPerson } from '../terminal/ask.ts';
import { CommandError, INTERRUPTED, tellEnding } from '../terminal/ending.ts';
import { EXIT } from '../terminal/exit.ts';
import { note, paint, say, sayJson, wrap } from '../terminal/print.ts';
import type { PauseOptions } from './command.ts';

interface Words {
  readonly question: string;
  readonly done: string;
  readonly state: 'Enabled' | 'Disabled';
}

const WORDS: Readonly<Record<'pause' | 'resume', Words>> = {
  pause: {
    question: 'Stop the delivery of requests? They wait until resume; notAfter and the greatest age go on counting.',
    done: 'Delivery is paused: requests wait, none is lost. `npx mysafe-enable resume` delivers them again.',
    state: 'Disabled',
  },
  resume: {
    question: 'Deliver requests to the function again?',
    done: 'Delivery is on: requests are carried out again.',
    state: 'Enabled',
  },
};

const describe = ({ uuid, functionArn, state, changedAt }: Delivery) => ({ uuid, functionArn, state, changedAt });

const carryOut = async (options: PauseOptions, { question, done, state }: Words): Promise<number> => {
  const { json = false, yes = false } = options;
  const tell = json ? note : say;
  const target = await findTarget(options, 'requests');
  const deliveries = await createDeliveries(options, target);
  try {
    const found = await deliveries.list();
    if (found.length === 0) throw noDelivery();
    const open = found.filter((delivery) => delivery.state !== state);
    if (open.length > 0 && !yes && hasPerson()) {
      const answer = await ask(question);
      if (answer === 'interrupted') return tellEnding(INTERRUPTED, json);
      if (answer === 'no') throw new CommandError('NotConfirmed', 'nothing was changed', 'answer yes, or give --yes');
    }
    const turned: Delivery[] = found.filter((delivery) => delivery.state === state);
    for (const delivery of open) turned.push(await deliveries.turn(delivery, state === 'Enabled'));
    const late = turned.find((delivery) => delivery.state !== state);
    if (late) {
      throw new CommandError(
        'NotSettled',
        `the event source mapping ${late.uuid} is ${late.state}, not ${state} yet`,
        'look again with status; Lambda may only be slow',
      );
    }
    tell(wrap(`${open.length === 0 ? 'Nothing to change. ' : ''}${paint('green', done)}`));
    if (json) sayJson({ deliveries: turned.map(describe) });
    return EXIT.done;
  } finally {
    deliveries.close();
  }
};

export const runPause = (options: PauseOptions): Promise<number> => carryOut(options, WORDS.pause);
export const runResume = (options: PauseOptions): Promise<number> => carryOut(options, WORDS.resume);
