/** A binary heap: the least first. */
export const createHeap = <Item>(isBefore: (a: Item, b: Item) => boolean) => {
  const heap: Item[] = [];

  const rise = (item: Item, from: number): void => {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Item;
      if (!isBefore(item, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = item;
  };

  const sink = (item: Item): void => {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      if (left >= heap.length) break;
      const child = right < heap.length && isBefore(heap[right] as Item, heap[left] as Item) ? right : left;
      const below = heap[child] as Item;
      if (!isBefore(below, item)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = item;
  };

  return {
    push: (item: Item): void => {
      heap.push(item);
      rise(item, heap.length - 1);
    },
    peek: (): Item | undefined => heap[0],
    pop: (): Item | undefined => {
      const first = heap[0];
      const last = heap.pop();
      if (last !== undefined && heap.length > 0) sink(last);
      return first;
    },
  };
};
