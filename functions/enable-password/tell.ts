/** What people hear of: audit and metrics of each outcome, and what they must fix. */
import { createAudit, type MetricName } from '../audit/line.ts';
import type { Cause, Row } from '../segura/answers.ts';
import type { NoToken } from '../segura/token.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Outcome } from './batch.ts';
import { correlation, type Message } from './record.ts';

/** What has to be fixed, by the cause of a refusal: in the secret, in Segura, or on the way to it. */
const ADVICE: Partial<Record<Cause, string>> = {
  credentials: 'token refused: check accessTokenUrl, clientId, clientSecret and tokenParameters in the secret',
  tls: "TLS handshake refused: check caCertificate, clientCertificate and clientKey in the secret, and the server's certificate",
  'client-certificate':
    'a gateway asks for a client certificate: set clientCertificate and clientKey in the secret, and have the gateway know them',
  proxy: 'the proxy refuses the way out: check HTTPS_PROXY and NO_PROXY',
};
const TOKEN_REFUSED_AGAIN =
  'Segura refuses even a new token: check url and referer in the secret, and in Segura the rights and addresses of the access key';
const FORBIDDEN =
  'Segura refuses us: check in Segura the rights and addresses of the access key, and referer in the secret';

/** `undefined` for an answer that no document knows. */
const adviceOn = ({ happens }: Row): string | undefined => {
  if (happens.kind === 'renew-token') return TOKEN_REFUSED_AGAIN;
  if (happens.kind !== 'keep') return undefined;
  return happens.cause === 'credentials' ? FORBIDDEN : ADVICE[happens.cause];
};

export interface TellingParts {
  readonly log: Log;
  readonly metrics: Metrics<MetricName>;
  /** Carries out what it is given within a few milliseconds; at once where there is none. */
  readonly soon?: ((tellAll: () => void) => void) | undefined;
  readonly onOutcome?: ((outcome: Outcome) => void) | undefined;
}

export const createTelling = ({ log, metrics, soon = (tellAll) => tellAll(), onOutcome }: TellingParts) => {
  const audit = createAudit(log, metrics);
  // Once an invocation, however many requests meet it: the alarm counts invocations, not messages.
  let hasFailed = false;
  const countCredentialFailure = (cause: Cause): void => {
    // A proxy knows nothing of our credentials.
    if (hasFailed || cause === 'proxy') return;
    hasFailed = true;
    metrics.count('CredentialFailures');
  };

  const tellPeople = (message: Message, row: Row, errorCode: string | undefined): void => {
    const identifier = message.parsed.kind === 'request' ? message.parsed.request.identifier : undefined;
    const about = { ...correlation(message), identifier, errorCode, meaning: row.means, detail: row.cameBack };
    const advice = adviceOn(row);
    if (advice === undefined) {
      log.warn('answer is not documented, message kept', about);
      return;
    }
    countCredentialFailure('cause' in row.happens ? row.happens.cause : 'credentials');
    log.error(advice, about);
  };

  const tell = (outcome: Outcome): void => {
    const { message, decision } = outcome;
    if (decision.kind === 'kept' && decision.needsPeople) {
      tellPeople(message, decision.needsPeople, decision.errorCode);
    }
    audit(outcome);
    onOutcome?.(outcome);
  };

  // Together they take a third less time than each by itself between two answers of Segura.
  let untold: Outcome[] = [];
  const tellAll = (): void => {
    const outcomes = untold;
    untold = [];
    for (const outcome of outcomes) tell(outcome);
  };

  return {
    beginInvocation: (): void => {
      hasFailed = false;
    },
    outcome: (outcome: Outcome): void => {
      untold.push(outcome);
      if (untold.length === 1) soon(tellAll);
    },
    /** What has not been told yet. */
    flush: tellAll,
    bug: (message: Message, error: unknown): void => {
      const { name, message: detail, stack } = error instanceof Error ? error : new Error(String(error));
      log.error('bug: message kept', { ...correlation(message), errorCode: name, detail, stack });
    },
    secretFailure: (errorCode: string, detail: string): void => {
      countCredentialFailure('credentials');
      log.error('secret not usable, messages are kept until it is fixed', { errorCode, detail });
    },
    tokenRequest: (): void => metrics.count('TokenRequests'),
    tokenRefusal: ({ cause, code: errorCode, detail }: NoToken): void => {
      countCredentialFailure(cause);
      log.error(ADVICE[cause] ?? 'no token', { errorCode, cause, detail });
    },
  };
};
