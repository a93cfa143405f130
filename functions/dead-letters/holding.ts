/** The letters of one queue that are held invisible: kept so while work lasts, deleted, or given back. */
import { type EntryResult, MAX_BATCH_ENTRIES, type Sqs } from '../aws/sqs.ts';

export interface HoldingParts {
  readonly sqs: Sqs;
  readonly queueUrl: string;
  readonly visibilitySeconds: number;
  readonly now: () => number;
}

/** Batches under way at once. */
const AT_ONCE = 5;

const chunks = <Item>(items: readonly Item[]): Item[][] =>
  Array.from({ length: Math.ceil(items.length / MAX_BATCH_ENTRIES) }, (_, index) =>
    items.slice(index * MAX_BATCH_ENTRIES, (index + 1) * MAX_BATCH_ENTRIES),
  );

/** Batches of ten, a few at once. @returns those that SQS confirmed */
const eachBatch = async (
  messageIds: readonly string[],
  send: (chunk: readonly string[]) => Promise<readonly EntryResult[]>,
): Promise<string[]> => {
  const rest = chunks(messageIds).values();
  const confirmed: string[] = [];
  const worker = async (): Promise<void> => {
    for (const chunk of rest) {
      const results = await send(chunk);
      confirmed.push(...chunk.filter((_, index) => results[index]?.kind === 'confirmed'));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return confirmed;
};

export const createHolding = ({ sqs, queueUrl, visibilitySeconds, now }: HoldingParts) => {
  /** By message id, the earliest to become visible first; a letter that came round again has a new receipt handle. */
  const held = new Map<string, { readonly receiptHandle: string; readonly until: number }>();

  const hold = (messageId: string, receiptHandle: string, from: number): void => {
    held.delete(messageId);
    held.set(messageId, { receiptHandle, until: from + visibilitySeconds * 1000 });
  };

  const addressOf = (messageId: string) => ({ queueUrl, receiptHandle: held.get(messageId)?.receiptHandle ?? '' });

  /** One failure here is harmless: the letters become visible by themselves, or stay hidden a little longer. */
  const changeVisibility = (messageIds: readonly string[], seconds: number): Promise<string[]> =>
    eachBatch(messageIds, (chunk) =>
      sqs.changeVisibility(chunk.map((messageId) => ({ ...addressOf(messageId), visibilitySeconds: seconds }))),
    );

  return {
    /** @param from the moment of asking for it: SQS counts from a later one */
    hold,
    count: (): number => held.size,
    /** Ours alone for now; no longer so when the program was stopped for longer than the letter was held. */
    isHeld: (messageId: string): boolean => (held.get(messageId)?.until ?? 0) > now(),
    /** Keeps what is held invisible, where half of its time is over. Call it often: before each batch, in each wait. */
    keepHeld: async (): Promise<void> => {
      const from = now();
      const due: string[] = [];
      for (const [messageId, { until }] of held) {
        if (until - from > visibilitySeconds * 500) break;
        // What has lapsed is perhaps in other hands.
        if (until > from) due.push(messageId);
      }
      for (const messageId of await changeVisibility(due, visibilitySeconds)) {
        const { receiptHandle } = held.get(messageId) ?? {};
        if (receiptHandle !== undefined) hold(messageId, receiptHandle, from);
      }
    },
    /** @returns the message ids of those that SQS did not say to have deleted: they are there still, as far as known */
    remove: async (messageIds: readonly string[]): Promise<Set<string>> => {
      const left = new Set(messageIds);
      const deleted = await eachBatch(messageIds, (chunk) => sqs.deleteMessages(chunk.map(addressOf)));
      for (const messageId of deleted) {
        held.delete(messageId);
        left.delete(messageId);
      }
      return left;
    },
    /** Makes all that is still held visible again at once. */
    release: async (): Promise<void> => {
      await changeVisibility([...held.keys()], 0);
      held.clear();
    },
  };
};
