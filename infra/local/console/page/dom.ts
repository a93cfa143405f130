/** The few ways in which the page touches its elements. Text is always text: nothing that came in a message is HTML. */

/** @throws when the page has no such element: then page and script do not belong together. */
export const find = <Type extends Element>(
  selector: string,
  type: abstract new (...args: never[]) => Type,
  within: ParentNode = document,
): Type => {
  const found = within.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the page has no ${selector}`);
  return found;
};

/** Only where it differs, so that a screen reader and a selection are left in peace. */
export const setText = (element: Element, text: string): void => {
  if (element.textContent !== text) element.textContent = text;
};

export const create = (tag: string, className: string, text = ''): HTMLElement => {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  element.textContent = text;
  return element;
};

export interface Keyed<Value> {
  readonly keyOf: (value: Value) => string;
  readonly make: () => HTMLElement;
  readonly fill: (element: HTMLElement, value: Value) => void;
}

/** Makes the children of `list` be those of `values`; an element stays with its key, and keeps the focus. */
export const createList = <Value>(list: HTMLElement, { keyOf, make, fill }: Keyed<Value>) => {
  let elements = new Map<string, HTMLElement>();
  return (values: readonly Value[]): void => {
    const focused = document.activeElement;
    const next = new Map<string, HTMLElement>();
    for (const [index, value] of values.entries()) {
      const plain = keyOf(value);
      const key = next.has(plain) ? `${plain}/${index}` : plain;
      const element = elements.get(key) ?? make();
      fill(element, value);
      next.set(key, element);
      if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
    }
    for (const [key, element] of elements) if (!next.has(key)) element.remove();
    elements = next;
    if (focused instanceof HTMLElement && focused !== document.activeElement && list.contains(focused)) focused.focus();
  };
};
