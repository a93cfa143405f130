/** A dead letter from the function's hand to the operator's: what is written to SQS is read back the same. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_ATTRIBUTES, MAX_MESSAGE_BYTES, messageBytes } from '../../functions/aws/message.ts';
import { readLetter, replayAttributes } from '../../functions/dead-letters/letter.ts';
import type { Decision } from '../../functions/enable-password/decision.ts';
import { readMessages } from '../../functions/enable-password/record.ts';
import { createSettle } from '../../functions/enable-password/settle.ts';
import { readProvenance } from '../../functions/requests/provenance.ts';
import { anyText } from '../any-text.ts';
import { runs } from '../depth.ts';
import { createStage, finish, record, START } from '../unit/stage.ts';

/** SQS: a value is text without control characters, or bytes. */
const text = fc.stringMatching(/^[ -~é😀]{1,30}$/u);
const attribute = fc.oneof(
  text.map((stringValue) => ({ dataType: 'String', stringValue })),
  text.map((stringValue) => ({ dataType: 'String.slug', stringValue })),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => ({ dataType: 'Number', stringValue: String(value) })),
  fc
    .uint8Array({ minLength: 1, maxLength: 30 })
    .map((bytes) => ({ dataType: 'Binary', binaryValue: Buffer.from(bytes).toString('base64') })),
);
const ours = ['ErrorCode', 'ErrorMessage', 'OriginalMessageId', 'FirstSentAt', 'FailedAt', 'ReplayCount'];
const attributes = fc.dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,19}$/), attribute, { maxKeys: 10 });

type Wire = { readonly DataType: string; readonly StringValue?: string; readonly BinaryValue?: string };

test('what is written to a dead letter is read back the same, whatever the message carries', async () => {
  await fc.assert(
    fc.asyncProperty(
      attributes,
      fc.string({ maxLength: 200 }),
      anyText(1500),
      fc.constantFrom('1005', '1006', '1010', 'InvalidMessage', 'Expired'),
      fc.option(fc.record({ id: fc.uuid(), ageMs: fc.nat(1e9), replays: fc.integer({ min: 1, max: 50 }) }), {
        nil: undefined,
      }),
      async (own, body, errorMessage, errorCode, earlier) => {
        const from = earlier && {
          OriginalMessageId: { dataType: 'String', stringValue: earlier.id },
          FirstSentAt: { dataType: 'String', stringValue: new Date(START - 2000 - earlier.ageMs).toISOString() },
          ReplayCount: { dataType: 'Number', stringValue: String(earlier.replays) },
        };
        const carried = Object.fromEntries(
          Object.entries({ ...from, ...own })
            .filter(([name]) => !(name in (from ?? {})) || from)
            .slice(0, MAX_ATTRIBUTES),
        );
        for (const name of ours) if (!(from && name in from)) delete carried[name];
        const [message] = readMessages([record('m-1', body, { messageAttributes: carried })], START);
        const stage = createStage();
        const decision: Decision = { kind: 'rejected', errorCode, errorMessage };
        const settle = createSettle(stage.settleParts, stage.deadline(60_000));
        const settled = Promise.resolve(settle(message!, decision, { attempts: 1, latenciesMs: [] }));
        expect(await finish(stage.clock, settled)).toEqual(decision);

        const [entry] = stage.sqsCalls[0]!.entries;
        const wire = entry!['MessageAttributes'] as Record<string, Wire>;
        const letter = readLetter(
          {
            MessageId: 'letter',
            ReceiptHandle: 'h',
            Body: String(entry!['MessageBody']),
            MessageAttributes: Object.fromEntries(
              Object.entries(wire).map(([name, { BinaryValue, ...rest }]) => [
                name,
                { ...rest, ...(BinaryValue === undefined ? {} : { BinaryValue: Buffer.from(BinaryValue, 'base64') }) },
              ]),
            ),
            Attributes: { SentTimestamp: String(START + 5) },
          } as never,
          'rejected',
        );

        expect(letter.body).toBe(body);
        expect(letter.provenance).toEqual(message!.provenance);
        expect(letter.failure).toMatchObject({ errorCode, failedAt: new Date(START) });
        // The sentence as SQS can carry it: cut, and without the characters that it refuses.
        const sentence = letter.failure?.errorMessage ?? '';
        expect(sentence.length).toBeLessThanOrEqual(1024);
        expect(sentence).toMatch(/^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]+$/u);
        if (/^[ -~]{1,1024}$/.test(errorMessage)) expect(sentence).toBe(errorMessage);

        expect(Object.keys(letter.attributes).length).toBeLessThanOrEqual(MAX_ATTRIBUTES);
        expect(messageBytes(letter.body, letter.attributes)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
        const warned = stage.lines.flatMap(
          ({ droppedAttributes }) => (droppedAttributes as string[] | undefined) ?? [],
        );
        for (const [name, value] of Object.entries(carried)) {
          if (ours.includes(name) || warned.includes(name)) continue;
          expect(letter.attributes[name]).toEqual(value);
        }
        // Dropped in reverse order of their names: what is left is the beginning.
        const all = Object.keys(carried)
          .filter((name) => !ours.includes(name))
          .sort();
        const kept = all.filter((name) => !warned.includes(name));
        expect(kept).toEqual(all.slice(0, kept.length));

        // And on to its replay: where it came from stays, the failure does not.
        const replayed = replayAttributes(letter.body, letter.attributes, letter.provenance, { replayedBy: 'law' });
        const { replayCount } = letter.provenance;
        expect(readProvenance(replayed.attributes, { messageId: 'replayed', sentAt: new Date(START + 10) })).toEqual({
          ...letter.provenance,
          replayCount: replayCount + 1,
          replayedBy: 'law',
        });
        for (const name of ['ErrorCode', 'ErrorMessage', 'FailedAt'])
          expect(replayed.attributes).not.toHaveProperty(name);
      },
    ),
    { numRuns: runs(300) },
  );
});
