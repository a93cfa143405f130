/** What one can do: forms, buttons and keys, each ending in one order to the server. */
import { FAULT_NAMES, FAULTS, isFaultName } from '../fault-names.ts';
import { order, type Told } from './ask.ts';
import { find, setText } from './dom.ts';

const HUNDRED = 100;

const textOf = (form: FormData, name: string): string => String(form.get(name) ?? '').trim();

const sendBody = (form: FormData, count: string): Readonly<Record<string, unknown>> => {
  const notAfter = textOf(form, 'notAfter');
  return {
    identifier: textOf(form, 'identifier'),
    count: Number(count),
    requestId: textOf(form, 'requestId'),
    requestedBy: textOf(form, 'requestedBy'),
    groupId: textOf(form, 'groupId'),
    // The field has no offset: it is the reader's own.
    notAfter: notAfter === '' ? '' : new Date(notAfter).toISOString(),
    source: 'local console',
  };
};

const faultBody = (form: FormData): Readonly<Record<string, unknown>> => {
  const fault = textOf(form, 'fault');
  const isScoped = isFaultName(fault) && FAULTS[fault].isScoped;
  const scope = isScoped ? textOf(form, 'scope') : 'all';
  return {
    fault,
    ...(scope === 'share' ? { share: Number(textOf(form, 'share')) / 100 } : {}),
    ...(scope === 'one' ? { identifier: textOf(form, 'password') } : {}),
    seconds: textOf(form, 'seconds'),
    ...(fault === '429' ? { retryAfter: textOf(form, 'retryAfter') } : {}),
    ...(fault === 'slow' ? { delayMs: Number(textOf(form, 'delay')) * 1000 } : {}),
  };
};

/** Shows the fields that the chosen fault has. */
const arrangeFields = (form: HTMLFormElement): void => {
  const values = new FormData(form);
  const fault = textOf(values, 'fault');
  const isScoped = isFaultName(fault) && FAULTS[fault].isScoped;
  const scope = find('[name="scope"]', HTMLSelectElement, form);
  scope.disabled = !isScoped;
  for (const label of form.querySelectorAll('label[data-for]')) {
    if (!(label instanceof HTMLElement)) continue;
    const wanted = label.dataset['for'];
    label.hidden = wanted !== fault && !(isScoped && wanted === scope.value);
  }
};

const countOf = (value: unknown, key: string): number => {
  const found = (value as Readonly<Record<string, unknown>>)[key];
  return Array.isArray(found) ? found.length : Number(found ?? 0);
};

export interface Controls {
  /** The button shows what is. */
  readonly showPaused: (isPaused: boolean) => void;
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches('input:not([type="checkbox"]), select, textarea');

export const createControls = (): Controls => {
  const sender = find('#sender', HTMLFormElement);
  const breaker = find('#breaker', HTMLFormElement);
  const pause = find('#pause', HTMLButtonElement);
  const told = find('#told', HTMLElement);
  const fault = find('[name="fault"]', HTMLSelectElement, breaker);
  for (const name of FAULT_NAMES) fault.add(new Option(FAULTS[name].title, name));

  const tell = (result: Told, words: (value: unknown) => string): void => {
    told.dataset['kind'] = result.kind;
    setText(told, result.kind === 'done' ? words(result.value) : result.detail);
  };
  const send = async (count: string): Promise<void> =>
    tell(await order('/requests', sendBody(new FormData(sender), count)), (value) => {
      const sent = countOf(value, 'messageIds');
      return sent === 1 ? 'One request is on the queue.' : `${sent} requests are on the queue.`;
    });
  const breakIt = async (): Promise<void> =>
    tell(
      await order('/faults', faultBody(new FormData(breaker))),
      () => `Now: ${fault.selectedOptions[0]?.text ?? ''}.`,
    );
  const heal = async (): Promise<void> =>
    tell(await order('/heal'), (value) => {
      const back = countOf(value, 'broughtBack');
      return back === 0 ? 'All is well again.' : `All is well again; ${back} kept came back at once.`;
    });
  const togglePause = async (): Promise<void> => {
    const isPaused = pause.getAttribute('aria-pressed') === 'true';
    tell(await order(isPaused ? '/resume' : '/pause'), () => (isPaused ? 'Delivery goes on.' : 'Delivery is paused.'));
  };
  const replay = async (): Promise<void> =>
    tell(
      await order('/replay'),
      (value) => `${countOf(value, 'replayed')} of ${countOf(value, 'matched')} dead letters are back on requests.`,
    );
  const reset = async (): Promise<void> => tell(await order('/reset'), () => 'All is as at the start.');

  sender.addEventListener('submit', (event) => {
    event.preventDefault();
    void send(find('[name="count"]', HTMLInputElement, sender).value);
  });
  breaker.addEventListener('submit', (event) => {
    event.preventDefault();
    void breakIt();
  });
  breaker.addEventListener('change', () => arrangeFields(breaker));
  arrangeFields(breaker);
  const clicks = { hundred: () => send(String(HUNDRED)), heal, pause: togglePause, replay, reset };
  for (const [id, act] of Object.entries(clicks)) {
    find(`#${id}`, HTMLButtonElement).addEventListener('click', () => void act());
  }

  const keys: Readonly<Record<string, () => Promise<void>>> = {
    s: () => send('1'),
    c: () => send(String(HUNDRED)),
    b: breakIt,
    h: heal,
    p: togglePause,
    r: replay,
  };
  const keysOn = find('#keys', HTMLInputElement);
  document.addEventListener('keydown', (event) => {
    const act = keys[event.key];
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat;
    if (!act || !isPlain || !keysOn.checked || isTyping(event.target) || document.querySelector('dialog[open]')) return;
    event.preventDefault();
    void act();
  });

  return { showPaused: (isPaused) => pause.setAttribute('aria-pressed', String(isPaused)) };
};
