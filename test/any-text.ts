import fc from 'fast-check';

/**
 * A character of any code point but half a surrogate pair. `fc.string({ unit: 'binary' })` draws the same, and makes a map
 * of all 1.1 million of them first, in each process.
 */
const character = fc
  .oneof(
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xd7ff }) },
    { weight: 4, arbitrary: fc.integer({ min: 0xe000, max: 0x10ffff }) },
  )
  .map((code) => String.fromCodePoint(code));

/** Text of any characters, of which many have a meaning for nobody. */
export const anyText = (maxLength?: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.oneof(character, fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 })),
    ...(maxLength === undefined ? {} : { maxLength }),
  });
