/** Moments as ISO 8601 writes them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createIsoText } from '../../functions/time/iso.ts';

describe('the text of a moment', () => {
  test('is what toISOString writes, whatever moments came before', () => {
    const near = fc.tuple(fc.date({ noInvalidDate: true }), fc.array(fc.integer({ min: -2000, max: 2000 })));
    fc.assert(
      fc.property(fc.array(near), (groups) => {
        const isoText = createIsoText();
        for (const [from, offsets] of groups) {
          for (const offset of [0, ...offsets]) {
            const ms = Math.min(8.64e15, Math.max(-8.64e15, from.getTime() + offset));
            expect(isoText(ms)).toBe(new Date(ms).toISOString());
          }
        }
      }),
    );
  });

  test('of what is no number throws, as toISOString does', () => {
    const isoText = createIsoText();
    expect(() => isoText(Number.NaN)).toThrow(RangeError);
    expect(() => isoText(Number.POSITIVE_INFINITY)).toThrow(RangeError);
  });
});
