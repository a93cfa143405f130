/** A JSON text read in place: what it takes is what JSON.parse takes, and what it tells is what stands there. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scanJson } from '../../functions/requests/json-scan.ts';
import { runs } from '../depth.ts';

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
const scan = (text: string) => {
  const members: [string, string][] = [];
  const value = scanJson(text, (key, start, end) => members.push([key, text.slice(start, end)]));
  return { members, value: value && text.slice(value.start, value.end) };
};

describe('a text is taken exactly where JSON.parse takes it', () => {
  const PIECES = [
    ...['{', '}', '[', ']', ',', ':', ' ', '\n', '\t', '\r', '\u00a0', '\ufeff', '"', '"a"', '"\\u00e9"', '"\\', '\\"'],
    ...[
      '"\\x"',
      '"\\u12"',
      '"\n"',
      '"\u2028"',
      '"\ud800"',
      'true',
      'false',
      'null',
      'nul',
      'True',
      '0',
      '-0',
      '01',
      '1.',
    ],
    ...['.5', '1e', '1e+', '1e+5', '-', '--1', '12.5E-7', '{"a":1}', '[1,2]', '[]', '{}', '"identifier":', '//', "'a'"],
  ];

  test('of pieces in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        expect([text, scan(text).value !== undefined]).toEqual([text, isJson(text)]);
      }),
      { numRuns: runs(20_000) },
    );
  });

  test('that is JSON, or JSON with one character changed', () => {
    const character = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '0', '.', 'e', '-', ' ', '\n', 'n', '');
    fc.assert(
      fc.property(fc.json(), fc.nat(), character, fc.integer({ min: 0, max: 1 }), (text, at, put, cut) => {
        expect(scan(text).value).toBeDefined();
        const changed = text.slice(0, at % text.length) + put + text.slice((at % text.length) + cut);
        expect([changed, scan(changed).value !== undefined]).toEqual([changed, isJson(changed)]);
      }),
      { numRuns: runs(5000) },
    );
  });
});

describe('the members of the outermost object', () => {
  test('are told as they are written, with their keys unescaped, in their order, each as often as it stands there', () => {
    expect(scan(' { "a" : 1.50 , "\\u0061":[1, {"b": 2}] ,"":"x\\"}" ,"b":{}\n} ')).toEqual({
      members: [
        ['a', '1.50'],
        ['a', '[1, {"b": 2}]'],
        ['', '"x\\"}"'],
        ['b', '{}'],
      ],
      value: '{ "a" : 1.50 , "\\u0061":[1, {"b": 2}] ,"":"x\\"}" ,"b":{}\n}',
    });
  });

  test.each(['[{"a": 1}]', '10', '"a"', 'null'])('are none in %s', (text) => {
    expect(scan(` ${text} `)).toEqual({ members: [], value: text });
  });

  test('make the object that JSON.parse makes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat({ max: 4 }), (object, indent) => {
        const { members } = scan(JSON.stringify(object, null, indent));
        const read = members.map(([key, value]) => [key, JSON.parse(value)] as const);
        expect(JSON.stringify(Object.fromEntries(read))).toBe(JSON.stringify(object));
      }),
    );
  });
});
