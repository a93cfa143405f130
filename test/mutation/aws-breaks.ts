/** Breaks of what goes to SQS and Secrets Manager, of dead letters, and of their replay. */
import type { Break } from './break.ts';

const SQS = 'functions/aws/sqs.ts';
const ATTEMPTS = 'functions/aws/attempts.ts';
const SECRET_VALUE = 'functions/aws/secret-value.ts';
const MESSAGE = 'functions/aws/message.ts';
const OUTBOX = 'functions/aws/outbox.ts';
const HANDLER = 'functions/enable-password/handler.ts';
const LETTER = 'functions/dead-letters/letter.ts';
const REPLAY = 'functions/dead-letters/replay.ts';
const PLAN = 'functions/dead-letters/plan.ts';
const PACE = 'functions/dead-letters/pace.ts';
const HOLDING = 'functions/dead-letters/holding.ts';
const ENTRY = 'functions/dead-letters/replay-entry.ts';
const SELECT = 'functions/dead-letters/select.ts';

export const AWS_BREAKS: readonly Break[] = [
  {
    file: SQS,
    why: 'results of a retried batch land on the wrong entries',
    from: 'return entries.map((_, index) => results.get(String(index)) ?? NO_TIME);',
    to: 'return entries.map((_, index) => [...results.values()].reverse()[index] ?? NO_TIME);',
  },
  {
    file: SQS,
    why: 'an entry of which SQS says nothing counts as confirmed',
    from: 'successful ? readSuccessful(successful, body) : UNSAID, again: false',
    to: 'readSuccessful(successful ?? { Id: id }, body), again: false',
  },
  {
    file: SQS,
    why: 'a failed entry is never tried again',
    from: 'again: SenderFault !== true || isThrottling(Code)',
    to: 'again: isThrottling(Code) && SenderFault === undefined',
  },
  {
    file: SQS,
    why: 'a body that SQS changed counts as confirmed',
    from: "return getFips() === 0 && hash('md5', body) !== md5;",
    to: "return getFips() === 2 && hash('md5', body) !== md5;",
  },
  {
    file: SQS,
    why: 'the trace header is lost',
    from: '    ...(traceHeader\n',
    to: '    ...(traceHeader === body\n',
  },
  {
    file: SQS,
    why: 'binary attributes arrive as their base64',
    from: "BinaryValue: Buffer.from(binaryValue, 'base64')",
    to: 'BinaryValue: Buffer.from(binaryValue)',
  },
  {
    file: ATTEMPTS,
    why: 'SQS is called after the answer',
    from: 'const endsAt = now() + timeoutMs;',
    to: 'const endsAt = now() + timeoutMs + 60_000;',
  },
  {
    file: ATTEMPTS,
    why: 'SQS is called though no time is left',
    from: 'for (let made = 1; now() < endsAt; made += 1) {',
    to: 'for (let made = 1; made < 9; made += 1) {',
  },
  {
    file: ATTEMPTS,
    why: 'a wait is begun for which there is no time',
    from: '      if (now() + waitMs >= endsAt) return;\n',
    to: '',
  },
  {
    file: SECRET_VALUE,
    why: 'the version of the secret is left to chance',
    from: "VersionStage: 'AWSCURRENT'",
    to: "VersionStage: 'AWSPENDING'",
  },
  {
    file: MESSAGE,
    why: 'attributes count nothing towards 1 MiB',
    from: '    bytes += Buffer.byteLength(name) + Buffer.byteLength(dataType);\n',
    to: '    bytes += 0 * Buffer.byteLength(name) * Buffer.byteLength(dataType);\n',
  },
  {
    file: MESSAGE,
    why: 'characters that SQS refuses go into a dead letter',
    from: ".replace(/[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\ufffe\\uffff]/g, '\\ufffd')",
    to: ".replace(/[\\u0000]/g, '\\ufffd')",
  },
  {
    file: OUTBOX,
    why: 'a batch of more than 1 MiB is sent',
    from: 'const isFull = before && ',
    to: 'const isFull = before && maxBytes < 0 && ',
  },
  {
    file: HANDLER,
    why: 'one connection to AWS instead of twenty',
    from: 'const AWS_SOCKETS = 20;',
    to: 'const AWS_SOCKETS = 1;',
  },
  {
    file: LETTER,
    why: 'the replay count starts again with each rejection',
    from: '    ReplayCount: number(provenance.replayCount),',
    to: '    ReplayCount: number(0 * provenance.replayCount),',
  },
  {
    file: LETTER,
    why: 'a replay forgets when the request was first sent',
    from: 'FirstSentAt: text(provenance.firstSentAt.toISOString()),\n    ReplayCount: number(Math.min',
    to: 'FirstSentAt: text(new Date().toISOString()),\n    ReplayCount: number(Math.min',
  },
  {
    file: LETTER,
    why: 'more than ten attributes are sent',
    from: 'left.size > MAX_ATTRIBUTES || ',
    to: '',
  },
  {
    file: LETTER,
    why: 'a sender can write the code of a letter that SQS moved',
    from: "const failure = queue === 'rejected' ? readFailure(attributes, sentAt) : undefined;",
    to: 'const failure = readFailure(attributes, sentAt);',
  },
  {
    file: REPLAY,
    why: 'a letter is deleted although SQS did not confirm the request',
    from: "return ready.filter((_, index) => results[index]?.kind === 'confirmed');",
    to: 'return ready.filter((_, index) => results[index] !== undefined);',
  },
  {
    file: REPLAY,
    why: 'a dry run sends',
    from: 'options.dryRun ? [...batch] : await send(run, scan, batch)',
    to: 'await send(run, scan, batch)',
  },
  {
    file: PLAN,
    why: 'expired requests are replayed without being renewed',
    from: "maxAgeSeconds) === undefined ? undefined : 'expired'",
    to: "maxAgeSeconds) === '' ? 'expired' : undefined",
  },
  {
    file: PLAN,
    why: 'requests of unknown age are replayed',
    from: "  if (!isAgeKnown) return 'unknown-age';\n",
    to: '',
  },
  {
    file: PLAN,
    why: 'duplicates of one original are sent twice',
    from: 'if (sentWith !== undefined || chosen.has(key)) {',
    to: 'if (sentWith === -1) {',
  },
  {
    file: REPLAY,
    why: 'a later message of a FIFO group goes before one that was not sent',
    from: 'if (isFifo && stoppedGroups.has(letter.groupId))',
    to: 'if (isFifo && stoppedGroups.has(letter.messageId))',
  },
  {
    file: PLAN,
    why: 'the limit is not kept',
    from: '    if (outgoing.length >= left) continue;\n',
    to: '',
  },
  {
    file: PACE,
    why: 'the rate is not kept',
    from: 'return Math.max(0, nextAt - at, freeAt(count) - at);',
    to: 'return Math.min(0, nextAt - at, freeAt(count) - at);',
  },
  {
    file: HOLDING,
    why: 'letters stay invisible after a scan',
    from: '      await changeVisibility([...held.keys()], 0);\n',
    to: '',
  },
  {
    file: HOLDING,
    why: 'letters that take long become visible to others meanwhile',
    from: 'if (until > from) due.push(messageId);',
    to: 'if (until < from) due.push(messageId);',
  },
  {
    file: ENTRY,
    why: 'a second try after a crash is a second request on a FIFO queue',
    from: 'deduplicationId: isFifo ? `replay-${messageId}` : undefined,',
    to: 'deduplicationId: isFifo ? `replay-${messageId}-${Math.random()}` : undefined,',
  },
  {
    file: SELECT,
    why: 'the code of a letter is no filter',
    from: 'if (codes.length > 0 && !codes.includes(codeOf(letter))) return false;',
    to: 'if (codes.length > 99 && !codes.includes(codeOf(letter))) return false;',
  },
];
