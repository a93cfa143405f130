/** What a person or a script may order of the console, read from JSON; what is wrong is told with what to write instead. */
import { type Breakage, FAULT_NAMES, FAULTS, type FaultName, isFaultName } from './fault-names.ts';

/** Told as 400. */
export class OrderError extends Error {
  readonly code = 'INVALID_ORDER';
  constructor(message: string) {
    super(message);
    this.name = 'OrderError';
  }
}

export interface SendOrder {
  /** Message bodies. */
  readonly bodies: readonly string[];
  /** The passwords they ask for. */
  readonly identifiers: readonly string[];
  readonly groupId?: string;
}

export interface ReplayOrder {
  readonly queue?: string;
  readonly renew?: boolean;
  readonly reason?: string;
}

type Given = Readonly<Record<string, unknown>>;

const MAX_COUNT = 1000;

/** @throws OrderError */
const readObject = (value: unknown, keys: readonly string[]): Given => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OrderError(`the body must be a JSON object with any of: ${keys.join(', ')}`);
  }
  const unknown = Object.keys(value).filter((key) => !keys.includes(key));
  if (unknown.length > 0) {
    throw new OrderError(
      `${unknown.map((key) => JSON.stringify(key)).join(', ')} is not known; known are ${keys.join(', ')}`,
    );
  }
  // What is null or empty was not filled in.
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null && each !== ''));
};

/** @throws OrderError */
const readNumber = (given: Given, key: string, least: number, most: number): number | undefined => {
  const value = given[key];
  if (value === undefined) return undefined;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !(number >= least && number <= most)) {
    throw new OrderError(`${key} must be a number from ${least} to ${most}`);
  }
  return number;
};

const SEND_KEYS = [
  'identifier',
  'count',
  'requestId',
  'requestedBy',
  'reason',
  'source',
  'notAfter',
  'groupId',
] as const;

/** AWS, "SendMessage": what SQS takes as a MessageGroupId. */
const GROUP_ID = /^[\x21-\x7e]{1,128}$/;

const isDecimal = (text: string): boolean => /^[1-9]\d{0,14}$/.test(text);

/**
 * Of a number, `count` asks for as many passwords one after the other. What is not an identifier is sent as it is: the
 * function should say so.
 * @throws OrderError
 */
export const readSendOrder = (value: unknown): SendOrder => {
  const { identifier, count: _, groupId, ...fields } = readObject(value, SEND_KEYS);
  if (identifier === undefined) throw new OrderError('identifier is missing, such as {"identifier": 10}');
  if (typeof identifier !== 'string' && typeof identifier !== 'number') {
    throw new OrderError('identifier must be a number, or text');
  }
  for (const [name, field] of Object.entries(fields)) {
    if (typeof field !== 'string') throw new OrderError(`${name} must be text`);
  }
  if (groupId !== undefined && !GROUP_ID.test(String(groupId))) {
    throw new OrderError('groupId must be 1 to 128 letters, digits or punctuation, without a space');
  }
  const count = Math.round(readNumber(value as Given, 'count', 1, MAX_COUNT) ?? 1);
  const first = String(identifier);
  const identifiers = Array.from({ length: count }, (__, index) =>
    isDecimal(first) ? String(Number(first) + index) : first,
  );
  return {
    identifiers,
    ...(groupId === undefined ? {} : { groupId: String(groupId) }),
    bodies: identifiers.map((each) => JSON.stringify({ identifier: isDecimal(each) ? Number(each) : each, ...fields })),
  };
};

const FAULT_KEYS = ['fault', 'share', 'identifier', 'seconds', 'retryAfter', 'delayMs'] as const;
const MAX_SECONDS = 86_400;

/** @throws OrderError */
const readFault = (given: Given): FaultName => {
  const fault = given['fault'] === undefined ? '503' : String(given['fault']);
  if (isFaultName(fault)) return fault;
  throw new OrderError(`fault must be one of ${FAULT_NAMES.join(', ')}`);
};

/**
 * Without any key it is the plainest: 503 for all, until it is switched off.
 * @throws OrderError
 */
export const readFaultOrder = (value: unknown, at: number): Breakage => {
  const given = readObject(value, FAULT_KEYS);
  const fault = readFault(given);
  const share = readNumber(given, 'share', 0.01, 1) ?? 1;
  const { identifier } = given;
  const isScoped = share < 1 || identifier !== undefined;
  if (isScoped && !FAULTS[fault].isScoped) {
    throw new OrderError(`${fault} holds for all: leave share and identifier out`);
  }
  const seconds = readNumber(given, 'seconds', 1, MAX_SECONDS);
  const retryAfter = readNumber(given, 'retryAfter', 0, MAX_SECONDS);
  const delayMs = readNumber(given, 'delayMs', 1, 60_000);
  return {
    fault,
    share,
    ...(identifier === undefined ? {} : { identifier: String(identifier) }),
    ...(seconds === undefined ? {} : { endsAt: at + seconds * 1000 }),
    ...(fault === '429' && retryAfter !== undefined ? { retryAfter } : {}),
    ...(fault === 'slow' && delayMs !== undefined ? { delayMs } : {}),
  };
};

/** @throws OrderError */
export const readReplayOrder = (value: unknown): ReplayOrder => {
  const { queue, renew, reason } = readObject(value, ['queue', 'renew', 'reason']);
  if (queue !== undefined && queue !== 'rejected' && queue !== 'exhausted') {
    throw new OrderError('queue must be rejected or exhausted');
  }
  if (renew !== undefined && typeof renew !== 'boolean') throw new OrderError('renew must be true or false');
  if (reason !== undefined && typeof reason !== 'string') throw new OrderError('reason must be text');
  return {
    ...(queue === undefined ? {} : { queue }),
    ...(renew === undefined ? {} : { renew }),
    ...(reason === undefined ? {} : { reason }),
  };
};
