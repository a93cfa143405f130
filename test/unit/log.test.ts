/** One JSON object a line, from a list of allowed fields. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createLineWriter, createLog, FIELDS, type Fields } from '../../functions/telemetry/log.ts';

const open = (level = 'INFO') => {
  const written: string[] = [];
  const log = createLog({
    service: 'mysafe-enable',
    level,
    write: (text) => written.push(text),
    now: () => Date.UTC(2026, 0, 1),
  });
  return { log, written, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
};

describe('a line', () => {
  test('says level, message, service and time, then its fields', () => {
    const { log, written } = open();
    log.warn('visibility timeout not changed', { errorCode: 'X', messageId: 'm' });
    expect(written).toEqual([
      '{"level":"WARN","message":"visibility timeout not changed","service":"mysafe-enable","timestamp":"2026-01-01T00:00:00.000Z","errorCode":"X","messageId":"m"}\n',
    ]);
  });

  test('holds nothing that is not on the list of fields', () => {
    const { log, lines } = open();
    log.audit('password enable', { identifier: 10, body: 'b', clientSecret: 's', Authorization: 't' } as Fields);
    expect(Object.keys(lines()[0] ?? {})).toEqual(['level', 'message', 'service', 'timestamp', 'identifier']);
  });

  test('is one line whatever a field holds', () => {
    const { log, written } = open();
    log.warn('x', { reason: 'a\nb\r\n\u2028"{}\ud800' });
    expect(written).toHaveLength(1);
    expect(written[0]?.trimEnd()).not.toMatch(/[\n\r]/);
    expect(JSON.parse(written[0] ?? '')).toMatchObject({ reason: 'a\nb\r\n\u2028"{}\ud800' });
  });

  test('has no field of more than 1,024 characters, a list counted as one', () => {
    const { log, lines } = open();
    log.warn('x', {
      detail: 'x'.repeat(1_200_000),
      stack: `${'x'.repeat(1023)}😀`,
      errorMessage: 'x'.repeat(1024),
      droppedAttributes: Array.from({ length: 9 }, () => 'n'.repeat(256)),
    });
    const [line] = lines();
    expect([line?.['detail'], line?.['errorMessage']]).toEqual(['x'.repeat(1024), 'x'.repeat(1024)]);
    expect(line?.['stack']).toBe(`${'x'.repeat(1023)}\ufffd`);
    expect([line?.['droppedAttributes']].flat().join('')).toBe('n'.repeat(1024));
  });

  test.each(['\u0001', '😀', 'é', '\ud800'])(
    'is no longer than 32 kB though every field is full of %j',
    (character) => {
      const { log, written } = open();
      const fields = Object.fromEntries(FIELDS.map((field) => [field, character.repeat(2000)]));
      log.audit('x', fields as Fields);
      const [line = ''] = written;
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(32_000);
      expect(Buffer.byteLength(line)).toBeGreaterThan(12_000);
      expect(Object.keys(JSON.parse(line))).toEqual(
        expect.arrayContaining(FIELDS.filter((name) => name !== 'function_request_id')),
      );
    },
  );

  test('carries the id of the invocation, from when it is told', () => {
    const { log, lines } = open();
    log.warn('a');
    log.setFunctionRequestId('r');
    log.warn('b');
    log.setFunctionRequestId(undefined);
    log.warn('c');
    expect(lines().map(({ function_request_id }) => function_request_id)).toEqual([undefined, 'r', undefined]);
  });

  test('holds each field of the list, in its order', () => {
    const { log, lines } = open();
    const fields = Object.fromEntries(FIELDS.map((name) => [name, `of ${name}`])) as Fields;
    log.setFunctionRequestId('of function_request_id');
    log.audit('password enable', fields);
    const { level, message, service, timestamp, ...rest } = lines()[0] ?? {};
    expect([level, message, service, timestamp]).toEqual([
      'INFO',
      'password enable',
      'mysafe-enable',
      '2026-01-01T00:00:00.000Z',
    ]);
    expect(Object.entries(rest)).toEqual(Object.entries(fields));
  });

  test('says when it was written, each its own time', () => {
    const written: string[] = [];
    let at = Date.UTC(2026, 0, 1);
    const log = createLog({ service: 's', level: 'INFO', write: (text) => written.push(text), now: () => at });
    log.warn('a');
    log.warn('b');
    at += 1;
    log.warn('c');
    expect(written.map((line) => /T00:00:00\.(\d{3})Z/.exec(line)?.[1])).toEqual(['000', '000', '001']);
  });

  test('no field of the list has the name of a secret or a body', () => {
    expect(FIELDS.filter((name) => /secret|token|key|body|password|header/i.test(name))).toEqual([]);
  });
});

describe('a level', () => {
  test.each([
    ['DEBUG', ['WARN', 'ERROR']],
    ['INFO', ['WARN', 'ERROR']],
    ['warn', ['WARN', 'ERROR']],
    ['ERROR', ['ERROR']],
    ['CRITICAL', []],
    ['SILENT', []],
    ['LOUD', ['WARN', 'ERROR']],
  ])('%s lets %j through, and the audit always', (level, expected) => {
    const { log, lines } = open(level);
    log.warn('w');
    log.error('e');
    log.audit('password enable', {});
    expect(lines().map((line) => line['level'])).toEqual([...expected, 'INFO']);
    expect(lines().at(-1)?.['message']).toBe('password enable');
  });
});

describe('a line writer', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('writes in one go, in order, what comes within its wait', () => {
    vi.useFakeTimers();
    const written: string[] = [];
    const { write } = createLineWriter((text) => written.push(text), 5);
    write('a\n');
    vi.advanceTimersByTime(4);
    write('b\n');
    expect(written).toEqual([]);
    vi.advanceTimersByTime(1);
    write('c\n');
    vi.advanceTimersByTime(5);
    expect(written).toEqual(['a\nb\n', 'c\n']);
  });

  test('writes at once when asked, and nothing twice', () => {
    vi.useFakeTimers();
    const written: string[] = [];
    const { write, flush } = createLineWriter((text) => written.push(text), 5);
    write('a\n');
    flush();
    flush();
    expect(written).toEqual(['a\n']);
    vi.advanceTimersByTime(5);
    expect(written).toEqual(['a\n']);
  });

  test('gives the lines after a flush their whole wait: one invocation does not cut up the lines of the next', () => {
    vi.useFakeTimers();
    const written: string[] = [];
    const { write, flush } = createLineWriter((text) => written.push(text), 5);
    write('a\n');
    vi.advanceTimersByTime(4);
    flush();
    write('b\n');
    vi.advanceTimersByTime(1);
    write('c\n');
    expect(written).toEqual(['a\n']);
    vi.advanceTimersByTime(4);
    expect(written).toEqual(['a\n', 'b\nc\n']);
  });
});
