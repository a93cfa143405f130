/** Segura, its gateway and its token endpoint in virtual time, as the core's `Send` sees them. */
import type { Failure } from '../../functions/http/failure.ts';
import type { Answer, Call } from '../../functions/http/send.ts';
import answers from '../../infra/local/answers.json' with { type: 'json' };
import { createHeap } from '../../infra/local/heap.ts';
import type { Clock } from '../virtual-time/clock.ts';
import { isEnabled, type Ledger, type Random, type Verdict } from './ledger.ts';
import { faultAt, pick, type SeguraFault, type Weather } from './weather.ts';

export type PasswordState = 'disabled' | 'active' | 'unknown' | 'no-access' | 'invalid';

/** An answer on its way, and what Segura decided on the password if the call got so far. */
export interface Delivery {
  readonly answer: Answer;
  readonly verdict?: Verdict;
  /** No answer comes at all, or an exception in its place. */
  readonly isBroken?: 'deaf' | 'bug';
}

const envelope = (status: number, message: string, error: boolean, more = {}): string =>
  JSON.stringify({ code: status, response: { status, message, error, mensagem: message, erro: error }, ...more });

/** None of these is a verdict on a password, however much it looks like one. */
const DECEPTIONS: readonly { readonly status: number; readonly body: string }[] = [
  { status: 404, body: envelope(404, '1005: Password not found', true) },
  { status: 500, body: envelope(500, '1006: User does not have access', true, { exception: { code: 1006 } }) },
  { status: 403, body: envelope(403, '1006: User does not have access', true) },
  { status: 400, body: '{"message":"1005: Password not found"}' },
  { status: 400, body: envelope(400, '1005: Password not found', false) },
  { status: 400, body: envelope(400, '1005: Password not found', true, { exception: { code: 1006, message: '' } }) },
  { status: 400, body: envelope(400, '10051: Something else', true) },
  { status: 200, body: envelope(200, '1010: Unexpected identifier type', true) },
  { status: 200, body: envelope(200, 'Password successfully inactivated', false) },
  { status: 200, body: envelope(400, 'Password successfully activated', false) },
  { status: 200, body: '{"response":{"message":"Password successfully activated"}}' },
  { status: 201, body: envelope(201, 'Password successfully activated', false) },
  { status: 200, body: 'Password successfully activated' },
];

const FAILURES: Readonly<Record<string, readonly [Failure, string]>> = {
  refused: ['refused', 'ECONNREFUSED'],
  reset: ['reset', 'ECONNRESET'],
  dns: ['dns', 'EAI_AGAIN'],
  unreachable: ['unreachable', 'EHOSTUNREACH'],
  tls: ['tls', 'CERT_HAS_EXPIRED'],
};

export const unanswered = (failure: Failure, code: string, reusedSocket = false): Answer => ({
  kind: 'unanswered',
  failure,
  code,
  reusedSocket,
});
export const TIMED_OUT = unanswered('timeout', 'ETIMEDOUT');

const answered = (status: number, body: string, headers = {}): Answer => ({ kind: 'answered', status, headers, body });

/** Real answers by their meaning; those of the token endpoint aside. */
const byMeaning = Map.groupBy(
  answers.filter(({ endpoint }) => endpoint === 'enable'),
  ({ meaning }) => meaning,
);
/** As a token is refused; the other 404s are of something else. */
const REFUSALS = answers.filter(({ name, meaning }) => name.startsWith('no-route') || meaning === 'unauthorized');
const STATES: Readonly<Record<PasswordState, readonly [Verdict, string]>> = {
  disabled: ['enabled', 'enabled'],
  active: ['already-enabled', 'already-enabled'],
  unknown: ['1005', 'not-found'],
  'no-access': ['1006', 'no-access'],
  invalid: ['1010', 'invalid-identifier'],
};
const RETRY_AFTER = [undefined, '1', '7', '20', '300', '5000'];
const LIFETIME_MS = 3_600_000;
/** `expires_in` as it is told: honest, as a string, not at all, absurd; and a token that lives shorter than it says. */
const LIFETIMES: readonly { readonly told: unknown; readonly ms: number }[] = [
  { told: 3600, ms: LIFETIME_MS },
  { told: '3600', ms: LIFETIME_MS },
  { told: undefined, ms: LIFETIME_MS },
  { told: 'soon', ms: LIFETIME_MS },
  { told: -1, ms: LIFETIME_MS },
  { told: 1e15, ms: LIFETIME_MS },
  { told: 120, ms: 120_000 },
  { told: 3600, ms: 300_000 },
];

export interface SeguraParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly weather: Weather;
  readonly ledger: Ledger;
  readonly isFifo: boolean;
  /** Forgets its verdicts, so that the invariants can be seen to notice. */
  readonly isForgetful?: boolean;
  /** How long a call takes in good times; drawn between 5 and 155 ms where not said. */
  readonly answersInMs?: number | undefined;
  /** Calls that it works on at once; what comes on top waits for its turn, and is a time-out of the gateway after 60 s. */
  readonly capacity?: number | undefined;
}

/** Kong's default for an upstream that does not answer. */
const GATEWAY_TIMEOUT_MS = 60_000;

/** Workers that take one call after the other. */
const createWorkers = (capacity: number | undefined, now: () => number) => {
  const freeAt = createHeap<number>((a, b) => a < b);
  for (let worker = 0; worker < (capacity ?? 0); worker += 1) freeAt.push(0);
  return {
    /** @returns ms until a worker takes the call, and has `workMs` of work with it; `undefined` for one that gives up */
    take: (workMs: number): number | undefined => {
      if (capacity === undefined) return 0;
      const waitMs = Math.max(0, (freeAt.peek() ?? 0) - now());
      if (waitMs > GATEWAY_TIMEOUT_MS) return undefined;
      freeAt.pop();
      freeAt.push(now() + waitMs + workMs);
      return waitMs;
    },
  };
};

export const createSegura = (parts: SeguraParts) => {
  const { clock, random, weather, ledger, isFifo, isForgetful = false, answersInMs } = parts;
  const workers = createWorkers(parts.capacity, clock.now);
  const passwords = new Map<number, PasswordState>();
  const tokens = new Map<string, number>();
  const secrets = new Set(['hush-secret-0']);
  let issued = 0;

  const fixture = (meaning: string): Answer => {
    const { status, body, headers } = pick(random, byMeaning.get(meaning) ?? []);
    const wait = meaning === 'rate-limited' || meaning === 'unavailable' ? pick(random, RETRY_AFTER) : undefined;
    return answered(status, body, { ...headers, ...(wait === undefined ? {} : { 'retry-after': wait }) });
  };

  const judge = (identifier: number): Delivery => {
    const [verdict, meaning] = STATES[passwords.get(identifier) ?? 'unknown'];
    const story = ledger.storyOf(identifier);
    if (isEnabled(verdict)) {
      passwords.set(identifier, 'active');
      if (story) {
        story.isEnabled = true;
        ledger.settle(story, isFifo);
      }
    }
    ledger.tell(story, `Segura: ${verdict}`);
    return isForgetful ? { answer: fixture(meaning) } : { answer: fixture(meaning), verdict };
  };

  const issue = (body: string): Answer => {
    if (!secrets.has(new URLSearchParams(body).get('client_secret') ?? '')) {
      return answered(401, '{"error":"invalid_client","error_description":"Client authentication failed"}');
    }
    issued += 1;
    const token = `hush-token-${issued}`;
    const { told, ms } = pick(random, LIFETIMES);
    tokens.set(token, clock.now() + ms);
    return answered(200, JSON.stringify({ token_type: 'Bearer', expires_in: told, access_token: token }));
  };

  const serve = ({ url, path = url.pathname, headers, body = '' }: Call): Delivery => {
    if (path.endsWith('/oauth2/token')) return { answer: issue(body) };
    const expiresAt = tokens.get((headers['Authorization'] ?? '').replace('Bearer ', '')) ?? 0;
    if (expiresAt <= clock.now()) {
      const { status, body: refusal } = pick(random, REFUSALS);
      return { answer: answered(status, refusal) };
    }
    return judge(Number(path.split('/').at(-1)));
  };

  const meet = (fault: SeguraFault | undefined, call: Call): Delivery => {
    if (fault === undefined || fault === 'slow') return serve(call);
    if (fault === 'lost-answer') {
      serve(call);
      return { answer: pick(random, [fixture('upstream-timeout'), unanswered('reset', 'ECONNRESET'), TIMED_OUT]) };
    }
    if (fault === 'deception') {
      const { status, body } = pick(random, DECEPTIONS);
      return { answer: answered(status, body) };
    }
    if (fault === 'down')
      return { answer: answered(503, '{"message":"failure to get a peer from the ring-balancer"}') };
    const failure = FAILURES[fault];
    return { answer: failure ? unanswered(...failure) : fixture(fault) };
  };

  return {
    passwords,
    secrets,
    revokeTokens: (): void => tokens.clear(),
    /** Resolves at the latest when `timeoutMs` are over; what has been sent takes its course all the same. */
    send: async (call: Call): Promise<Delivery> => {
      const isToken = (call.path ?? call.url.pathname).endsWith('/oauth2/token');
      const windows = isToken ? weather.tokens : weather.segura;
      const fault = faultAt(windows, clock.now(), random);
      if (fault === 'deaf' || fault === 'bug') return { answer: TIMED_OUT, isBroken: fault };
      if (fault === 'hang') {
        await clock.sleep(call.timeoutMs);
        return { answer: TIMED_OUT };
      }
      const workMs = fault === 'slow' ? 5000 + random() * 40_000 : (answersInMs ?? 5 + random() * 150);
      const waitMs = fault === undefined ? workers.take(workMs) : 0;
      const tookMs = waitMs === undefined ? GATEWAY_TIMEOUT_MS : waitMs + workMs;
      const reachesMs = (waitMs ?? 0) + workMs * random();
      const course = clock.sleep(reachesMs).then(async () => {
        const delivery = meet(waitMs === undefined ? 'upstream-timeout' : fault, call);
        await clock.sleep(tookMs - reachesMs);
        return delivery;
      });
      if (tookMs <= call.timeoutMs) return course;
      await clock.sleep(call.timeoutMs);
      return { answer: TIMED_OUT };
    },
  };
};

export type SeguraModel = ReturnType<typeof createSegura>;
