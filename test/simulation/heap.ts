/** A binary heap: the least first. */
export const createHeap = <Item>(isBefore: (a: Item, b: Item) => boolean) => {
  const heap: Item[] = [];
  const swap = (i: number, j: number): void => {
    const kept = heap[i]!;
    heap[i] = heap[j]!;
    heap[j] = kept;
  };
  return {
    push: (item: Item): void => {
      heap.push(item);
      for (let i = heap.length - 1; i > 0; ) {
        const parent = (i - 1) >> 1;
        if (!isBefore(heap[i]!, heap[parent]!)) break;
        swap(i, parent);
        i = parent;
      }
    },
    peek: (): Item | undefined => heap[0],
    pop: (): Item | undefined => {
      const first = heap[0];
      const last = heap.pop();
      if (first === undefined || last === undefined || heap.length === 0) return first;
      heap[0] = last;
      for (let i = 0; ; ) {
        const left = 2 * i + 1;
        let least = i;
        if (left < heap.length && isBefore(heap[left]!, heap[least]!)) least = left;
        if (left + 1 < heap.length && isBefore(heap[left + 1]!, heap[least]!)) least = left + 1;
        if (least === i) return first;
        swap(i, least);
        i = least;
      }
    },
  };
};
