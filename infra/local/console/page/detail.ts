/** The story of one message, with its audit lines as they were written. */
import type { Line } from '../../lambda.ts';
import { storyLine } from '../view.ts';
import { create, find, setText } from './dom.ts';

const readLines = async (messageId: string): Promise<readonly Line[]> => {
  const response = await fetch(`/messages/${encodeURIComponent(messageId)}`);
  return response.ok ? ((await response.json()) as { readonly lines: readonly Line[] }).lines : [];
};

const delivery = (line: Line): HTMLElement => {
  const item = create('li', '');
  item.dataset['outcome'] = String(line['outcome']);
  const whole = create('pre', '', JSON.stringify(line, null, 2));
  whole.tabIndex = 0;
  whole.setAttribute('aria-label', 'Audit line');
  whole.setAttribute('role', 'region');
  item.append(create('p', 'delivery', storyLine(line)), whole);
  return item;
};

/** A click or Enter on any row opens it. */
export const createDetail = (): void => {
  const dialog = find('#detail', HTMLDialogElement);
  const story = find('#story', HTMLElement);
  document.addEventListener('click', async (event) => {
    const row = event.target instanceof Element ? event.target.closest('[data-message-id]') : null;
    if (!(row instanceof HTMLElement)) return;
    const messageId = row.dataset['messageId'] ?? '';
    setText(find('#detail-title', HTMLElement), `Request for ${row.querySelector('.asked')?.textContent ?? ''}`);
    setText(find('#detail-id', HTMLElement), `message ${messageId}`);
    const lines = await readLines(messageId);
    story.replaceChildren(
      ...(lines.length > 0
        ? lines.map(delivery)
        : [create('li', 'hint', 'No audit line yet: the function has not had it.')]),
    );
    if (!dialog.open) dialog.showModal();
  });
};
