/** Switches a fault on in the world, and off again. */
import type { Fault } from '../faults.ts';
import type { World } from '../world.ts';
import { SECRET_ID } from '../world.ts';
import type { Breakage, FaultName } from './fault-names.ts';

const DEFAULT_RETRY_AFTER_SECONDS = 30;
const DEFAULT_DELAY_MS = 2000;

/** What a single call meets. */
const faultOf = ({ fault, retryAfter, delayMs }: Breakage): Fault | undefined => {
  switch (fault) {
    case '503':
      return { kind: 'kong', status: 503 };
    case 'time-out':
      return { kind: 'hang' };
    case 'slow':
      return { kind: 'slow', ms: delayMs ?? DEFAULT_DELAY_MS };
    case 'reset':
      return { kind: 'reset' };
    case '429':
      return {
        kind: 'kong',
        status: 429,
        headers: { 'retry-after': String(retryAfter ?? DEFAULT_RETRY_AFTER_SECONDS) },
      };
    case 'token-revoked':
    case 'secret-rotated':
    case 'certificate-expired':
    case 'sqs-failing':
      return undefined;
  }
};

/** The function's own calls; the poller and a sender of single messages go on, so that one sees what comes of it. */
const FAILING_ACTIONS = ['SendMessageBatch', 'ChangeMessageVisibilityBatch'] as const;

/** What lasts beyond single calls: begun, and ended again. */
const createLasting = ({ segura, secrets, sqs, certificates, secretValue }: World) => {
  let rotations = 0;
  const nothing = (): void => {};
  const lasting: Readonly<Partial<Record<FaultName, { readonly begin: () => void; readonly end: () => void }>>> = {
    'token-revoked': { begin: segura.revokeTokens, end: nothing },
    'secret-rotated': {
      begin: () => {
        rotations += 1;
        segura.settings.clientSecret = `client-secret-rotated-${rotations}`;
        segura.revokeTokens();
      },
      end: () => secrets.put(SECRET_ID, secretValue()),
    },
    'certificate-expired': {
      begin: () => certificates && segura.showCertificate(certificates.expired),
      end: () => certificates && segura.showCertificate(certificates.server),
    },
    'sqs-failing': {
      begin: () => {
        for (const action of FAILING_ACTIONS) sqs.settings.faults.set(action, { kind: 'error' });
      },
      end: () => {
        for (const action of FAILING_ACTIONS) sqs.settings.faults.delete(action);
      },
    },
  };
  return lasting;
};

export interface Breakages {
  readonly all: () => readonly Breakage[];
  /** One fault of a kind for one scope: another of the same takes its place. */
  readonly begin: (breakage: Breakage) => void;
  readonly end: (breakage: Breakage) => void;
}

export const createBreakages = (world: World, random: () => number): Breakages => {
  const { segura } = world;
  const lasting = createLasting(world);
  let active: readonly Breakage[] = [];
  const timers = new Map<Breakage, NodeJS.Timeout>();
  const tokensWhen = new Map<Breakage, number>();

  const end = (breakage: Breakage): void => {
    if (!active.includes(breakage)) return;
    active = active.filter((each) => each !== breakage);
    clearTimeout(timers.get(breakage));
    timers.delete(breakage);
    tokensWhen.delete(breakage);
    lasting[breakage.fault]?.end();
  };

  const begin = (breakage: Breakage): void => {
    const replaced = active.find(
      ({ fault, identifier }) => fault === breakage.fault && identifier === breakage.identifier,
    );
    if (replaced) end(replaced);
    active = [breakage, ...active];
    tokensWhen.set(breakage, segura.tokenRequests().length);
    const { endsAt } = breakage;
    if (endsAt !== undefined) timers.set(breakage, setTimeout(end, endsAt - Date.now(), breakage).unref());
    lasting[breakage.fault]?.begin();
  };

  /** A revoked token is over once there is a new one. */
  const all = (): readonly Breakage[] => {
    for (const breakage of active) {
      const isRenewed = segura.tokenRequests().length > (tokensWhen.get(breakage) ?? 0);
      if (breakage.fault === 'token-revoked' && isRenewed) end(breakage);
    }
    return active;
  };

  segura.settings.faultFor = (identifier) => {
    const met = active.find(
      (each) =>
        faultOf(each) !== undefined &&
        (each.identifier === undefined || each.identifier === identifier) &&
        // A token is of all calls: it fails only where all fail.
        (identifier === undefined ? each.share === 1 : random() < each.share),
    );
    return met && faultOf(met);
  };
  return { all, begin, end };
};
