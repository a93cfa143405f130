/** The rows of the queues and of Segura's last answers. */
import type { MessageRow, QueueView, SeguraAnswer } from '../snapshot.ts';
import { SHOWN_ROWS } from '../snapshot.ts';
import { answerState, clockTime, rowNote, rowState } from '../view.ts';
import { create, createList, find, setText } from './dom.ts';

const makeRow = (): HTMLElement => {
  const row = create('li', 'row');
  const button = create('button', '');
  button.setAttribute('type', 'button');
  button.append(create('span', 'asked'), create('span', 'ticket'), create('span', 'fate'));
  row.append(button);
  return row;
};

const fillRow =
  (now: () => number) =>
  (row: HTMLElement, value: MessageRow): void => {
    row.dataset['messageId'] = value.messageId;
    row.dataset['outcome'] = value.outcome;
    setText(find('.asked', HTMLElement, row), value.asked);
    setText(find('.ticket', HTMLElement, row), rowNote(value));
    setText(find('.fate', HTMLElement, row), rowState(value, now()));
  };

/** One queue of the picture. */
export const createQueue = (name: string, now: () => number) => {
  const node = find(`[data-queue="${name}"]`, HTMLElement);
  const count = find('.count', HTMLElement, node);
  const more = find('.more', HTMLElement, node);
  const list = createList<MessageRow>(find('.rows', HTMLElement, node), {
    keyOf: ({ messageId, settledAt }) => `${messageId} ${settledAt ?? ''}`,
    make: makeRow,
    fill: fillRow(now),
  });
  return ({ count: lying, rows }: QueueView): void => {
    node.dataset['count'] = String(lying);
    setText(count, lying.toLocaleString('en'));
    list(rows);
    setText(more, lying > SHOWN_ROWS ? `and ${(lying - SHOWN_ROWS).toLocaleString('en')} more` : '');
  };
};

export const createAnswers = () => {
  const list = createList<SeguraAnswer>(find('#answers', HTMLElement), {
    keyOf: ({ at, about }) => `${at} ${about}`,
    make: () => {
      const row = create('li', 'answer');
      row.append(create('span', 'asked'), create('span', 'ticket'), create('span', 'fate'));
      return row;
    },
    fill: (row, answer) => {
      row.dataset['good'] = String(answer.status === 200);
      setText(find('.asked', HTMLElement, row), answer.about);
      setText(find('.ticket', HTMLElement, row), clockTime(answer.at));
      setText(find('.fate', HTMLElement, row), answerState(answer));
    },
  });
  return list;
};
