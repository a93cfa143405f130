/** The faults that a person can switch on, by name; what each does to the world stands in breakage.ts. */

export const FAULTS = {
  '503': { title: 'Gateway answers 503', isScoped: true },
  'time-out': { title: 'No answer (time-out)', isScoped: true },
  slow: { title: 'Slow answers', isScoped: true },
  reset: { title: 'Connection reset', isScoped: true },
  '429': { title: '429 with Retry-After', isScoped: true },
  'token-revoked': { title: 'Token revoked', isScoped: false },
  'secret-rotated': { title: 'Secret rotated', isScoped: false },
  'certificate-expired': { title: 'Certificate expired', isScoped: false },
  'sqs-failing': { title: 'SQS failing', isScoped: false },
} as const satisfies Readonly<Record<string, { readonly title: string; readonly isScoped: boolean }>>;

export type FaultName = keyof typeof FAULTS;

/** In the order in which they are offered. `Object.keys` would put the numbers first in another. */
export const FAULT_NAMES: readonly FaultName[] = [
  '503',
  'time-out',
  'slow',
  'reset',
  '429',
  'token-revoked',
  'secret-rotated',
  'certificate-expired',
  'sqs-failing',
];

export const isFaultName = (value: unknown): value is FaultName => FAULT_NAMES.some((name) => name === value);

/** What is broken now. */
export interface Breakage {
  readonly fault: FaultName;
  /** Of the calls, above 0 and up to 1. */
  readonly share: number;
  /** Where it holds for one password alone. */
  readonly identifier?: string;
  /** Epoch ms at which it ends by itself. */
  readonly endsAt?: number;
  /** Of `429`: seconds. */
  readonly retryAfter?: number;
  /** Of `slow`. */
  readonly delayMs?: number;
}

/** `Gateway answers 503, half of the calls, for password 10` */
export const describeBreakage = ({ fault, share, identifier, retryAfter, delayMs }: Breakage): string =>
  [
    FAULTS[fault].title,
    ...(retryAfter === undefined ? [] : [`${retryAfter} s`]),
    ...(delayMs === undefined ? [] : [`${delayMs / 1000} s`]),
    ...(share < 1 ? [`${Math.round(share * 100)} % of calls`] : []),
    ...(identifier === undefined ? [] : [`password ${identifier} only`]),
  ].join(', ');
