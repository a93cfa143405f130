/**
 * The file of receipts: one JSON line for each request, from which an interrupted `send` goes on. A request's line is
 * appended when SQS has confirmed it. On a FIFO queue it is appended before the request is sent, with its deduplication id,
 * and overwritten in place when it is settled: whoever is killed between the two sends it again under the same id, and SQS
 * takes it once. Each write is one call to the system, so that a kill at any moment loses no line that was written.
 */
import { closeSync, existsSync, fdatasyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { CommandError } from '../terminal/ending.ts';
import { UsageError } from '../terminal/usage.ts';
import type { Journal, Outgoing } from './requests.ts';

type State = 'sending' | 'sent' | 'failed';

export interface Receipt {
  readonly place: string;
  readonly identifier: number;
  /** FIFO queues only. */
  readonly deduplicationId?: string;
  /** `null` until SQS has confirmed it. */
  readonly messageId: string | null;
  readonly state: State;
}

/** What is known of a request from an earlier run. */
export type Known =
  | { readonly kind: 'new' }
  | { readonly kind: 'sent' }
  /** Perhaps sent: under this id it is taken once. */
  | { readonly kind: 'open'; readonly deduplicationId?: string };

export interface Receipts extends Journal {
  readonly find: (request: Outgoing) => Known;
  readonly close: () => void;
}

/** SQS: a message id has at most 100 characters. */
const MESSAGE_ID_WIDTH = 102;
const STATE_WIDTH = '"sending"'.length;
const READ_BYTES = 262_144;

/** A line that is not final has room for what will be written over it. */
const lineOf = ({ place, identifier, deduplicationId }: Outgoing, messageId: string | null, state: State): Buffer => {
  const id = deduplicationId === undefined ? '' : `"deduplicationId":${JSON.stringify(deduplicationId)},`;
  const message = JSON.stringify(messageId).padEnd(MESSAGE_ID_WIDTH);
  const head = `{"place":${JSON.stringify(place)},"identifier":${identifier},${id}`;
  return Buffer.from(`${head}"messageId":${message},"state":${JSON.stringify(state).padEnd(STATE_WIDTH)}}\n`);
};

/** By the number of a place (`line 3`), the identifier that was sent from there; eight bytes for each line of the file. */
const createSent = () => {
  let identifiers = new Float64Array(1024);
  const numberOf = (place: string): number => Number(place.slice(place.lastIndexOf(' ') + 1));
  return {
    add: ({ place, identifier }: Receipt): void => {
      const number = numberOf(place);
      if (number >= identifiers.length) {
        const more = new Float64Array(Math.max(identifiers.length * 2, number + 1));
        more.set(identifiers);
        identifiers = more;
      }
      identifiers[number] = identifier;
    },
    find: (place: string): number => identifiers[numberOf(place)] ?? 0,
  };
};

/** A line that is not final. */
interface Open {
  readonly identifier: number;
  readonly offset: number;
  readonly length: number;
  readonly deduplicationId?: string | undefined;
}

/** What a file of receipts says, and where it ends. */
interface Ledger {
  readonly sent: ReturnType<typeof createSent>;
  readonly open: Map<string, Open>;
  end: number;
}

const readReceipt = (line: string): Receipt | undefined => {
  try {
    const { place, identifier, deduplicationId, messageId, state } = JSON.parse(line) as Partial<Receipt>;
    if (!/^(?:line|argument) [1-9][0-9]{0,8}$/.test(place ?? '') || !Number.isSafeInteger(identifier)) return undefined;
    if (state !== 'sending' && state !== 'sent' && state !== 'failed') return undefined;
    const receipt = { place: place as string, identifier: identifier as number, messageId: messageId ?? null, state };
    return deduplicationId === undefined ? receipt : { ...receipt, deduplicationId };
  } catch {
    // Not JSON: no receipt.
    return undefined;
  }
};

/** Every whole line of the file with its offset; what stands behind the last line end was cut by a kill. */
function* linesOf(fd: number): Generator<{ readonly line: string; readonly offset: number; readonly end: number }> {
  const buffer = Buffer.alloc(READ_BYTES);
  let rest = Buffer.alloc(0);
  let offset = 0;
  for (;;) {
    const count = readSync(fd, buffer, 0, READ_BYTES, offset + rest.length);
    if (count === 0) return;
    const bytes = Buffer.concat([rest, buffer.subarray(0, count)]);
    let from = 0;
    for (let feed = bytes.indexOf(0x0a); feed >= 0; feed = bytes.indexOf(0x0a, from)) {
      yield { line: bytes.toString('utf8', from, feed), offset: offset + from, end: offset + feed + 1 };
      from = feed + 1;
    }
    rest = bytes.subarray(from);
    offset += from;
  }
}

const isThereAlready = (file: string): UsageError =>
  new UsageError(`--receipts ${file}: there is such a file already: --resume goes on from it, or give another name`);

/** Before anything is read, so that nobody waits for a refusal. @throws UsageError */
export const checkNew = (file: string): void => {
  if (existsSync(file)) throw isThereAlready(file);
};

const openDescriptor = (file: string, isResumed: boolean): number => {
  try {
    return openSync(file, isResumed ? 'r+' : 'wx+', 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw isThereAlready(file);
    const what = code === 'ENOENT' && isResumed ? 'there is no such file' : `it cannot be written (${code})`;
    throw new UsageError(`--${isResumed ? 'resume' : 'receipts'} ${file}: ${what}`);
  }
};

const readLedger = (fd: number, file: string): Ledger => {
  const ledger: Ledger = { sent: createSent(), open: new Map(), end: 0 };
  let number = 0;
  for (const { line, offset, end } of linesOf(fd)) {
    number += 1;
    const receipt = readReceipt(line);
    if (receipt === undefined) {
      throw new CommandError(
        'InvalidReceipts',
        `--resume ${file}: line ${number} is not a receipt`,
        'give the file that --receipts has written',
      );
    }
    const { place, identifier, deduplicationId, state } = receipt;
    if (state === 'sent') ledger.sent.add(receipt);
    else ledger.open.set(place, { identifier, deduplicationId, offset, length: end - offset });
    ledger.end = end;
  }
  return ledger;
};

const createFind =
  ({ sent, open }: Ledger, file: string): Receipts['find'] =>
  ({ place, identifier }) => {
    const left = open.get(place);
    const was = sent.find(place) || left?.identifier;
    if (was === undefined) return { kind: 'new' };
    if (was !== identifier) {
      throw new UsageError(
        `${place} says ${identifier}, but ${file} has a receipt of it for ${was}: --resume needs the same requests in the same order`,
      );
    }
    if (left === undefined || sent.find(place) !== 0) return { kind: 'sent' };
    return { kind: 'open', ...(left.deduplicationId === undefined ? {} : { deduplicationId: left.deduplicationId }) };
  };

const createWriters = (fd: number, ledger: Ledger, file: string): Journal => {
  const { open } = ledger;
  const write = (bytes: Buffer, offset: number): void => {
    try {
      writeSync(fd, bytes, 0, bytes.length, offset);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new CommandError(
        'ReceiptsNotWritten',
        `${file}: receipts cannot be written (${code})`,
        'make room on the disk, and go on with --resume; what was under way is sent again',
      );
    }
  };
  /** Appends a line for each; those that are not final are kept in mind. */
  const append = (
    lines: readonly { readonly request: Outgoing; readonly line: Buffer; readonly isFinal: boolean }[],
  ) => {
    if (lines.length === 0) return;
    let offset = ledger.end;
    for (const { request, line, isFinal } of lines) {
      const { place, identifier, deduplicationId } = request;
      if (!isFinal) open.set(place, { identifier, deduplicationId, offset, length: line.length });
      offset += line.length;
    }
    write(Buffer.concat(lines.map(({ line }) => line)), ledger.end);
    ledger.end = offset;
  };
  return {
    begin: (batch) => {
      const fresh = batch.filter(
        ({ place, deduplicationId }) =>
          deduplicationId !== undefined && open.get(place)?.deduplicationId !== deduplicationId,
      );
      append(fresh.map((request) => ({ request, line: lineOf(request, null, 'sending'), isFinal: false })));
    },
    settle: (batch, messageIds) => {
      const fresh: { request: Outgoing; line: Buffer; isFinal: boolean }[] = [];
      for (const [index, request] of batch.entries()) {
        const messageId = messageIds[index];
        const isFinal = messageId !== undefined;
        const line = lineOf(request, messageId ?? null, isFinal ? 'sent' : 'failed');
        const left = open.get(request.place);
        // Of another length is only what was written for a queue of the other kind.
        if (left?.length === line.length) write(line, left.offset);
        else fresh.push({ request, line, isFinal });
        if (isFinal) open.delete(request.place);
      }
      append(fresh);
    },
  };
};

/** @throws UsageError where the file cannot be used, CommandError where it holds something else */
export const openReceipts = (file: string, isResumed: boolean): Receipts => {
  const fd = openDescriptor(file, isResumed);
  try {
    const ledger = readLedger(fd, file);
    ftruncateSync(fd, ledger.end);
    const close = (): void => {
      fdatasyncSync(fd);
      closeSync(fd);
    };
    return { find: createFind(ledger, file), ...createWriters(fd, ledger, file), close };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
};
