/** Breaks of what Segura's answers mean, of its token, and of the secret. */
import type { Break } from './break.ts';

const ANSWERS = 'functions/segura/answers.ts';
const READING = 'functions/segura/reading.ts';
const TOKEN = 'functions/segura/token.ts';
const GRANT = 'functions/segura/grant.ts';
const VAULT = 'functions/segura/vault.ts';
const REDACTION = 'functions/segura/redaction.ts';

export const SEGURA_BREAKS: readonly Break[] = [
  {
    file: ANSWERS,
    why: "Segura's error numbers are trusted under any status",
    from: 'status === 400 && envelope?.number === number',
    to: 'status > 0 && envelope?.number === number',
  },
  {
    file: ANSWERS,
    why: 'an error number is believed beside "error": false',
    from: 'envelope?.number === number && envelope.error !== false && !isAmbiguous',
    to: 'envelope?.number === number && !isAmbiguous',
  },
  {
    file: ANSWERS,
    why: 'a 200 without "error": false counts as enabled',
    from: "    response['error'] === false &&\n",
    to: '',
  },
  {
    file: ANSWERS,
    why: 'a 200 with a sentence that says it failed counts as enabled',
    from: "    !FAILED.test(`${reading.words}\\n${response['detail'] ?? ''}`) &&\n",
    to: '',
  },
  {
    file: ANSWERS,
    why: 'a 200 that says the password was disabled counts as enabled',
    from: ' &&\n    !disabled(reading)\n',
    to: '\n',
  },
  {
    file: ANSWERS,
    why: 'a success with an exception beside it counts as enabled',
    from: "    isEmpty(json['exception']) &&\n",
    to: '',
  },
  {
    file: ANSWERS,
    why: 'a gateway time-out is taken for a verdict',
    from: "means: 'upstream-timeout', happens: RETRY_GATEWAY",
    to: "means: 'upstream-timeout', happens: { kind: 'reject', errorCode: '1005' }",
  },
  {
    file: ANSWERS,
    why: "Segura's own 500 is tried again without end",
    from: "happens: { kind: 'retry', cause: 'server-error', atMost: 1 }",
    to: "happens: { kind: 'retry', cause: 'server-error' }",
  },
  {
    file: ANSWERS,
    why: 'too fast (429) counts as done',
    from: "happens: { kind: 'retry', cause: 'rate-limited' }",
    to: "happens: { kind: 'done' }",
  },
  {
    file: ANSWERS,
    why: '503 says nothing of Segura as a whole, so that no outage is learnt',
    from: "{ cameBack: '503', matches: status(503), means: 'unavailable', happens: RETRY_GATEWAY, segura: 'down' }",
    to: "{ cameBack: '503', matches: status(503), means: 'unavailable', happens: RETRY_GATEWAY, segura: 'unknown' }",
  },
  {
    file: ANSWERS,
    why: 'a 401 renews no token',
    from: "matches: status(401),\n    means: 'unauthorized',\n    happens: { kind: 'renew-token' }",
    to: "matches: status(401),\n    means: 'unauthorized',\n    happens: KEEP_UNKNOWN",
  },
  {
    file: READING,
    why: 'two error numbers that differ are one: the first',
    from: 'return said.size === 1 ? [...said][0] : undefined;',
    to: 'return [...said][0];',
  },
  {
    file: READING,
    why: 'a body in which a key stands twice is believed',
    from: 'return written > countKeys(json);',
    to: 'return written > 1e9 + countKeys(json);',
  },
  {
    file: READING,
    why: 'Retry-After as a date is not understood',
    from: 'Number.isNaN(number) ? (date - now) / 1000 :',
    to: 'Number.isNaN(number) ? 0 :',
  },
  {
    file: READING,
    why: 'a Retry-After in the past is a wait below zero',
    from: 'Math.max(0, seconds)',
    to: 'seconds',
  },
  {
    file: TOKEN,
    why: 'a token is used after its end',
    from: 'token !== undefined && now() < token[until] && ',
    to: 'token !== undefined && ',
  },
  {
    file: TOKEN,
    why: 'a token of an older secret stays in use',
    from: ' && token.vault === vaults.inForce();',
    to: ';',
  },
  {
    file: TOKEN,
    why: 'each caller asks for a token of its own',
    from: '    flight ??= issueOne(left, attempts)',
    to: '    flight = issueOne(left, attempts)',
  },
  {
    file: TOKEN,
    why: 'a failed renewal is asked for again by each call that was refused',
    from: '      if (failedRenewal?.of === refused) return failedRenewal.result;\n',
    to: '',
  },
  {
    file: TOKEN,
    why: 'a failed early renewal is tried again at once',
    from: 'renewEarlyAt = now() + EARLY_RENEWAL_AGAIN_MS;',
    to: 'renewEarlyAt = now();',
  },
  {
    file: TOKEN,
    why: 'a failed early renewal throws the good token away',
    from: "if (result.kind === 'token' || held !== before || !isGood(before, 'expiresAt')) return result;",
    to: 'return result;',
  },
  {
    file: TOKEN,
    why: 'the token endpoint is tried without end while its gateway fails',
    from: 'if (attempt >= (isStale ? maxAttempts : attempts) || waitMs >= left()) return refusal;',
    to: 'if (waitMs >= left()) return refusal;',
  },
  {
    file: TOKEN,
    why: 'Retry-After of the token endpoint is ignored',
    from: 'Math.max(wait(attempt), (refusal.retryAfterSeconds ?? 0) * 1000)',
    to: 'wait(attempt)',
  },
  {
    file: GRANT,
    why: 'client_secret_basic sends id and secret without percent-encoding',
    from: "const encode = form === 'encoded' ? formEncode : (value: string) => value;",
    to: 'const encode = (value: string) => (form ? value : value);',
  },
  {
    file: GRANT,
    why: 'the fields of the secret do not reach the token request',
    from: "new URLSearchParams({ grant_type: 'client_credentials', ...tokenParameters })",
    to: "new URLSearchParams({ grant_type: 'client_credentials', ...(tokenParameters && {}) })",
  },
  {
    file: VAULT,
    why: 'an old secret is never read again',
    from: 'now() - readAt > SECRET_MAX_AGE_MS',
    to: 'now() - readAt > 1000 * SECRET_MAX_AGE_MS',
  },
  {
    file: VAULT,
    why: 'the last good secret is thrown away when it cannot be read again',
    from: "return held ? { kind: 'vault', vault: held.vault } : { kind: 'no-vault', code, detail };",
    to: "return { kind: 'no-vault', code, detail };",
  },
  {
    file: VAULT,
    why: 'a suspected secret is read again at each call',
    from: 'if (now() - suspectedAt < SUSPECT_AGAIN_MS || timeoutMs <= 0) return false;',
    to: 'if (timeoutMs <= 0) return false;',
  },
  {
    file: VAULT,
    why: 'a changed secret does not count at once',
    from: '      const hasChanged = held.vault !== suspect;',
    to: '      const hasChanged = held.vault === undefined;',
  },
  {
    file: REDACTION,
    why: 'a secret of before stands in a dead letter',
    from: 'clean = clean.replaceAll(form, MASK);',
    to: 'clean = clean.replaceAll(form, form);',
  },
];
