/** Breaks of enable-password: batches, attempts, waits, the breaker, and what SQS is told. */
import type { Break } from './break.ts';

const BATCH = 'functions/enable-password/batch.ts';
const ATTEMPT = 'functions/enable-password/attempt.ts';
const ENABLE = 'functions/enable-password/enable.ts';
const GATE = 'functions/enable-password/gate.ts';
const BREAKER = 'functions/enable-password/breaker.ts';
const SETTLE = 'functions/enable-password/settle.ts';
const POSTPONE = 'functions/enable-password/postpone.ts';
const WAITS = 'functions/enable-password/waits.ts';
const KEPT = 'functions/enable-password/kept.ts';
const RECALL = 'functions/enable-password/recall.ts';
const RECORD = 'functions/enable-password/record.ts';
const PROVENANCE = 'functions/requests/provenance.ts';

export const CORE_BREAKS: readonly Break[] = [
  {
    file: BATCH,
    why: 'messages that are cut at the deadline are not reported',
    from: '  for (const work of works) conclude(work, late, startedAt);\n',
    to: '',
  },
  {
    file: BATCH,
    why: 'a bug of ours answers "done"',
    from: "return { kind: 'kept', cause: 'bug' };",
    to: "return { kind: 'done', result: 'enabled' };",
  },
  {
    file: BATCH,
    why: 'the answer waits for whatever hangs',
    from: 'await Promise.race([done, sleep(invocation.deadline.answerLeftMs(), done)]);',
    to: 'await done;',
  },
  {
    file: BATCH,
    why: 'kept messages are not in the response',
    from: "works.filter(({ decision }) => decision?.kind === 'kept')",
    to: "works.filter(({ decision }) => decision?.kind === 'kept' && decision.cause !== 'gateway')",
  },
  {
    file: BATCH,
    why: 'a FIFO group goes on behind a kept message',
    from: '          await keepBehind(lane.slice(lane.indexOf(work) + 1), final);\n          return;\n',
    to: '',
  },
  {
    file: BATCH,
    why: 'a leak of every record',
    from: 'const startedAt = now();\n  const works = readMessages(',
    to: 'const startedAt = now();\n  const all = globalThis as { leaked?: unknown[] };\n  all.leaked ??= [];\n  all.leaked.push(records);\n  const works = readMessages(',
  },
  {
    file: BATCH,
    why: 'a second outcome overwrites the first',
    from: '    if (work.decision) return;\n    work.decision = decision;',
    to: '    work.decision = decision;',
  },
  {
    file: ATTEMPT,
    why: 'a stale connection counts as down',
    from: '  if (isStale) {\n    gate.release(entry);\n    return;\n  }\n',
    to: '',
  },
  {
    file: ENABLE,
    why: 'a wait is begun without time for it',
    from: '    if (waitMs + MIN_CALL_MS > underway.invocation.deadline.callsLeftMs()) return underway.kept;\n',
    to: '',
  },
  {
    file: ATTEMPT,
    why: 'an expired request is called',
    from: "    if (expired !== undefined) return reject('Expired', expired);\n",
    to: "    if (expired === '') return reject('Expired', expired);\n",
  },
  {
    file: ENABLE,
    why: 'a request is called more than six times in one invocation',
    from: 'return retried <= atMost && effort.attempts < MAX_ATTEMPTS;',
    to: 'return retried <= atMost * 9;',
  },
  {
    file: ENABLE,
    why: 'Retry-After is ignored between attempts',
    from: 'const askedMs = (reading.retryAfterSeconds ?? 0) * 1000;',
    to: 'const askedMs = (reading.retryAfterSeconds ?? 0) * 0;',
  },
  {
    file: ATTEMPT,
    why: 'a failed token request does not stop the others',
    from: '  underway.invocation.gate.stop(entry, { identifier, cause, retryAfterSeconds });\n',
    to: '  underway.invocation.gate.release(entry);\n  void identifier;\n',
  },
  {
    file: ENABLE,
    why: 'a secret stands in a dead letter',
    from: 'tokens.redact(describe(row, reading))',
    to: 'describe(row, reading)',
  },
  {
    file: ENABLE,
    why: 'a password that was active already is told as enabled',
    from: "row.means === 'already-enabled' ? 'already-enabled' : 'enabled'",
    to: "row.means === 'already-enabled' ? 'enabled' : 'enabled'",
  },
  {
    file: GATE,
    why: 'Retry-After does not hold for the other messages',
    from: "      learn({ kind: 'asked-to-wait', until: at + retryAfterSeconds * 1000, cause });\n",
    to: '',
  },
  {
    file: BREAKER,
    why: 'a single failing identifier opens the breaker for all',
    from: 'const IDENTIFIERS_TO_OPEN = 3;',
    to: 'const IDENTIFIERS_TO_OPEN = 1;',
  },
  {
    file: BREAKER,
    why: 'an outage is never learnt',
    from: 'const FAILURES_TO_OPEN = 5;',
    to: 'const FAILURES_TO_OPEN = 5e9;',
  },
  {
    file: BREAKER,
    why: 'who knows of an outage calls once a second',
    from: 'const SHORTEST_PACE_MS = 10_000;\nconst LONGEST_PACE_MS = 30_000;',
    to: 'const SHORTEST_PACE_MS = 1000;\nconst LONGEST_PACE_MS = 1000;',
  },
  {
    file: POSTPONE,
    why: 'visibility is never changed',
    from: '    const handles = message.receiptHandles.filter(Boolean);',
    to: '    const handles = message.receiptHandles.filter((handle) => handle === "none");',
  },
  {
    file: SETTLE,
    why: 'a rejection that SQS did not confirm is done',
    from: "if (decision.kind === 'rejected' && !(await sendDeadLetter(message, decision))) return unconfirmed(message);",
    to: "if (decision.kind === 'rejected') await sendDeadLetter(message, decision);",
  },
  {
    file: SETTLE,
    why: 'a request is settled without its outcome event',
    from: 'if (!(await sendOutcome(message, decision, effort))) return unconfirmed(message);',
    to: 'await sendOutcome(message, decision, effort);',
  },
  {
    file: POSTPONE,
    why: 'Retry-After is ignored by the visibility timeout',
    from: '      askedSeconds: retryAfterSeconds,',
    to: '      askedSeconds: retryAfterSeconds && 0,',
  },
  {
    file: WAITS,
    why: 'waits do not grow',
    from: '  if (ageSeconds > HOURS) return LONGEST_OF_A_DAY_SECONDS;\n',
    to: '',
  },
  {
    file: WAITS,
    why: 'callers that failed together come back together',
    from: '(ATTEMPT_WAITS_MS[attempt - 1] ?? ATTEMPT_WAITS_MS[4]) * (1 + random)',
    to: '(ATTEMPT_WAITS_MS[attempt - 1] ?? ATTEMPT_WAITS_MS[4]) * (1 + 0 * random)',
  },
  {
    file: WAITS,
    why: 'no time is left for the answer',
    from: 'const answerAt = now() + remainingMs - share(',
    to: 'const answerAt = now() + remainingMs - 0 * share(',
  },
  {
    file: KEPT,
    why: 'a handle is kept beyond its own wait, and changes the wait of another receive',
    from: 'if (message.backAt > now + MARGIN_MS && message.mayComeEarly) {',
    to: 'if (message.mayComeEarly) {',
  },
  {
    file: RECALL,
    why: 'waiting requests sit out their waits although Segura is back',
    from: '        if (leftMs > 0) await sqs.changeVisibility(batch, leftMs);\n',
    to: '        if (leftMs < 0) await sqs.changeVisibility(batch, leftMs);\n',
  },
  {
    file: RECORD,
    why: 'an event that is not an SQS event is acknowledged',
    from: 'if (Array.isArray(records) && records.every(isRecord)) return records;',
    to: 'return (records ?? []) as never;',
  },
  {
    file: PROVENANCE,
    why: 'anybody may say that a request was renewed',
    from: "isListed(senderId, renewalSenders) ? readDate(attributes['RenewedAt']) : undefined",
    to: "readDate(attributes['RenewedAt'])",
  },
  {
    file: PROVENANCE,
    why: 'an attribute can make a request younger than its sending',
    from: 'moment < sentAt ? moment : sentAt',
    to: 'moment',
  },
];
