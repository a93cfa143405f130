/** The contract, section by section: the built bundle against embedded SQS, Secrets Manager and Segura behind Kong. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import answers from '../../infra/local/answers.json' with { type: 'json' };
import { batchResponse, type World, type WorldOptions } from '../../infra/local/world.ts';
import { expectEnabled, expectKept, expectNoCall, expectRejected, expectSettled } from './expectations.ts';
import { openWorld } from './in-process-lambda.ts';
import { invokeLater, MOVABLE_CLOCK } from './moved-clock.ts';

const startWith = (options: WorldOptions = {}): Promise<World> =>
  openWorld({
    passwords: { 10: 'disabled', 11: 'disabled', 12: 'disabled', 13: 'active', 14: 'no-access' },
    ...options,
  });

const outcomes = (world: World) => world.auditLines().map(({ identifier, outcome }) => [identifier, outcome]);

describe.concurrent('A request message', () => {
  const sns = (message: string) => ({ Type: 'Notification', MessageId: 'x', TopicArn: 'arn', Message: message });
  const eventBridge = (detail: unknown) => ({ version: '0', 'detail-type': 'Approved', source: 'itsm', detail });
  test.each([
    ['a number', '10'],
    ['a string of digits', '"10"'],
    ['an object with a number', '{"identifier": 10}'],
    ['an object with a string', '{"identifier": "10"}'],
    ['an object with unknown fields', '{"identifier": 10, "ticket": {"a": 1.5}}'],
    ['an SNS notification', JSON.stringify(sns('{"identifier": 10}'))],
    ['an EventBridge event', JSON.stringify(eventBridge({ identifier: 10 }))],
  ])('%s enables the password it names', async (_, body) => {
    await using world = await startWith();
    await world.send(body);
    await world.deliver();
    expectSettled(world);
    expectEnabled(world, 10);
  });

  const INVALID = [
    ['not JSON', 'ten'],
    ['zero', '0'],
    ['negative', '-1'],
    ['a fraction', '10.5'],
    ['an exponent', '1e1'],
    ['a fraction of zero', '{"identifier": 10.0}'],
    ['leading zeros', '"010"'],
    ['beyond 2^53-1', '9007199254740992'],
    ['a list', '[10]'],
    ['null', 'null'],
    ['an object without identifier', '{"id": 10}'],
    ['a path in the identifier', '{"identifier": "10/../11"}'],
    ['an envelope in an envelope', JSON.stringify(sns(JSON.stringify(eventBridge({ identifier: 10 }))))],
    ['a requester that is not a string', '{"identifier": 10, "requestedBy": 5}'],
    ['a reason of 257 characters', JSON.stringify({ identifier: 10, reason: 'x'.repeat(257) })],
    ['a notAfter without offset', '{"identifier": 10, "notAfter": "2026-01-01T00:00:00"}'],
  ] as const;
  describe('that is invalid', () => {
    let world: World;
    const messageIds = new Map<string, string>();
    // All in one event: none keeps another from being rejected.
    beforeAll(async () => {
      world = await startWith();
      for (const [what, body] of INVALID) messageIds.set(what, await world.send(body));
      await world.deliver({ max: INVALID.length });
      expectSettled(world);
    });
    afterAll(() => world[Symbol.asyncDispose]());

    test.each(INVALID)(
      '%s is rejected as InvalidMessage without a call to Segura, body byte for byte',
      (what, body) => {
        const messageId = messageIds.get(what) ?? '';
        expectNoCall(world);
        expect(world.messages('rejected')).toHaveLength(INVALID.length);
        const letter = expectRejected(world, messageId, 'InvalidMessage');
        expect(letter.body).toBe(body);
        expect(letter.messageAttributes).toMatchObject({ ReplayCount: { StringValue: '0' } });
        const lines = world.auditLines().filter((line) => line['messageId'] === messageId);
        expect(lines).toMatchObject([{ outcome: 'rejected', errorCode: 'InvalidMessage', attempts: 0 }]);
      },
    );
  });

  test.each([
    ['an identifier of 0', { identifier: 0, requestId: 'RITM0012345', source: 'servicenow' }, {}],
    [
      'a reason that is not a string',
      { identifier: 10, requestId: 'RITM0012345', source: 'servicenow' },
      { reason: 5 },
    ],
  ])('%s is rejected, and its ticket is told: audit line and outcome event', async (_, body, malformed) => {
    await using world = await startWith({ outcomes: true });
    const messageId = await world.send({ ...body, ...malformed });
    await world.deliver();
    expectSettled(world);
    expectRejected(world, messageId, 'InvalidMessage');
    const ticket = { requestId: 'RITM0012345', source: 'servicenow', messageId, errorCode: 'InvalidMessage' };
    const [line] = world.auditLines();
    expect(line).toMatchObject(ticket);
    for (const field of ['identifier', 'reason']) expect(line).not.toHaveProperty(field);
    const [outcome] = world.messages('outcomes');
    const event = JSON.parse(outcome?.body ?? '{}');
    expect(event).toMatchObject({ ...ticket, identifier: null });
    expect(event).not.toHaveProperty('reason');
  });

  test.each([
    ['past its notAfter', { identifier: 10, notAfter: '2026-01-01T00:00:00+02:00' }, {}],
    [
      'older than MAX_REQUEST_AGE_SECONDS',
      10,
      { FirstSentAt: { DataType: 'String', StringValue: '2026-01-01T00:00:00Z' } },
    ],
  ])('a request %s is rejected as Expired without a call', async (_, body, attributes) => {
    await using world = await startWith();
    const messageId = await world.send(body, { attributes });
    await world.deliver();
    expectSettled(world);
    expectNoCall(world);
    expectRejected(world, messageId, 'Expired');
  });

  test('an event of another kind throws, so that nothing is acknowledged unread', async () => {
    await using world = await startWith();
    for (const event of [{}, { Records: [{ eventSource: 'aws:s3', s3: {} }] }, { detail: {} }, null]) {
      expect((await world.invoke(event)).functionError).toMatch(/not an SQS event/);
    }
    expect(batchResponse(await world.invoke({ Records: [] }))).toEqual({ batchItemFailures: [] });
  });
});

describe.concurrent('What happens to a message', () => {
  test('200: enabled and already enabled are done', async () => {
    await using world = await startWith();
    await Promise.all([world.send(10), world.send(13)]);
    await world.deliver();
    expectSettled(world);
    expect(outcomes(world).sort()).toEqual([
      [10, 'enabled'],
      [13, 'already-enabled'],
    ]);
  });

  test('no Route, 401 and "not authorized": one new token for a whole batch, then again', async () => {
    for (const refusal of ['no-route-kong-3-9-json', 'kong-jwt-token-expired', 'not-authorized-as-500']) {
      await using world = await startWith({ segura: { refusal: { kind: 'fixture', name: refusal } } });
      await world.send(10);
      await world.deliver();
      world.segura.revokeTokens();
      await Promise.all([11, 12, 13].map((identifier) => world.send(identifier)));
      await world.deliver();
      expectSettled(world);
      expect(world.segura.tokenRequests()).toHaveLength(2);
      expect(world.secrets.reads).toHaveLength(1);
    }
  });

  test.each([404, 401])(
    'a token that is refused twice with %s keeps the message, and people hear of it',
    async (status) => {
      await using world = await startWith();
      world.segura.settings.outage = { kind: 'kong', status };
      const messageId = await world.send(10);
      await world.deliver();
      expectKept(world, messageId);
      expect(world.segura.enableCalls()).toHaveLength(2);
      expect(world.segura.tokenRequests()).toHaveLength(2);
      expect(world.auditLines()).toMatchObject([{ outcome: 'kept', cause: 'credentials' }]);
      expect(world.lines().filter(({ level }) => level === 'ERROR')).toMatchObject([
        {
          message: expect.stringMatching(/refuses even a new token.*check url/),
          errorCode: `HTTP${status}`,
          messageId,
        },
      ]);
      expect(world.lines().some((line) => line['CredentialFailures'] === 1)).toBe(true);
    },
  );

  test.each([
    ['502', { kind: 'kong', status: 502 }],
    ['503', { kind: 'kong', status: 503 }],
    ['504', { kind: 'kong', status: 504 }],
    ['408', { kind: 'kong', status: 408 }],
    ['connection reset', { kind: 'reset' }],
    ['an answer cut short', { kind: 'cut' }],
    ['an answer that was lost', { kind: 'lost-answer' }],
    ['429', { kind: 'kong', status: 429 }],
    ['500', { kind: 'kong', status: 500 }],
  ] as const)('%s: again, and done once it works', async (_, fault) => {
    await using world = await startWith();
    world.segura.next(fault);
    await world.send(10);
    await world.deliver();
    expectSettled(world);
    expectEnabled(world, 10);
    expect(world.segura.enableCalls(10)).toHaveLength(2);
    expect(world.auditLines()).toMatchObject([{ attempts: 2 }]);
  });

  test('a gateway that stays down: growing waits, then kept with a visibility timeout of 30 s or more', async () => {
    await using world = await startWith();
    world.segura.settings.outage = { kind: 'kong', status: 504 };
    const messageId = await world.send(10);
    await world.deliver();
    expectKept(world, messageId);
    const calls = world.segura.enableCalls();
    const waits = calls.slice(1).map(({ at }, index) => at - (calls[index]?.at ?? 0));
    expect(waits.length).toBeGreaterThanOrEqual(3);
    // Drawn from such a step to its double. A busy machine makes any of them longer, and none shorter.
    const steps = [80, 160, 320, 640, 2500];
    // A timer may be a millisecond early.
    expect(waits.filter((wait, index) => wait < (steps[index] ?? Number.POSITIVE_INFINITY) - 1)).toEqual([]);
    expect(waits.at(-1)).toBe(Math.max(...waits));
    const [{ visibleInMs } = { visibleInMs: 0 }] = world.messages('requests');
    expect(visibleInMs).toBeGreaterThan(25_000);
    expect(visibleInMs).toBeLessThanOrEqual(60_000);
  });

  test('500 is tried again at most once', async () => {
    await using world = await startWith();
    world.segura.settings.outage = { kind: 'fixture', name: 'server-error-v4' };
    const messageId = await world.send(10);
    await world.deliver();
    expectKept(world, messageId);
    expect(world.segura.enableCalls()).toHaveLength(2);
  });

  test('429: Retry-After is respected in the call and, where time does not allow it, in the visibility timeout', async () => {
    await using world = await startWith();
    world.segura.next({ kind: 'kong', status: 429, headers: { 'retry-after': '1' } });
    await world.send(10);
    await world.deliver();
    expectSettled(world);
    const [first, second] = world.segura.enableCalls(10);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990);

    world.segura.next({ kind: 'kong', status: 429, headers: { 'retry-after': '300' } });
    const messageId = await world.send(11);
    await world.deliver();
    expectKept(world, messageId);
    expect(world.segura.enableCalls(11)).toHaveLength(1);
    expect(world.messages('requests')[0]?.visibleInMs).toBeGreaterThan(290_000);
  });

  test.each(
    answers.filter(
      ({ endpoint, permanent, meaning }) =>
        endpoint === 'enable' && !permanent && ['redirect', 'gateway-refused', 'unexpected-answer'].includes(meaning),
    ),
  )('unknown ($name) is kept after one call, and said in the log', async ({ name }) => {
    await using world = await startWith();
    world.segura.next({ kind: 'fixture', name });
    const messageId = await world.send(10);
    await world.deliver();
    expectKept(world, messageId);
    expect(world.segura.enableCalls()).toHaveLength(1);
    expect(world.messages('rejected')).toEqual([]);
    expect(world.lines()).toContainEqual(
      expect.objectContaining({ message: 'answer is not documented, message kept' }),
    );
  });

  test.each(answers.filter(({ endpoint, meaning }) => endpoint === 'enable' && meaning === 'forbidden'))(
    'a refused right or address ($name) is kept after one call, said, and counted once an invocation',
    async ({ name }) => {
      await using world = await startWith();
      const messageIds: string[] = [];
      for (const identifier of [10, 11, 12]) {
        world.segura.next({ kind: 'fixture', name });
        messageIds.push(await world.send(identifier));
      }
      await world.deliver();
      expectKept(world, ...messageIds);
      expect(world.segura.enableCalls()).toHaveLength(3);
      expect(world.lines().filter(({ level }) => level === 'ERROR')).toHaveLength(3);
      expect(world.lines()).toContainEqual(
        expect.objectContaining({ message: expect.stringMatching(/refuses us: check in Segura the rights/) }),
      );
      expect(world.lines().flatMap((line) => line['CredentialFailures'] ?? [])).toEqual([1]);
    },
  );

  test.each([
    ['answers 200 with Failed', { kind: 'failed-entries', senderFault: true }],
    ['is denied', { kind: 'denied' }],
    ['fails', { kind: 'error' }],
  ] as const)('a rejection is kept while SQS %s', async (_, fault) => {
    await using world = await startWith();
    world.sqs.settings.faults.set('SendMessageBatch', fault);
    const messageId = await world.send(99);
    await world.deliver();
    expectKept(world, messageId);
    expect(world.messages('rejected')).toEqual([]);
    expect(world.auditLines()).toMatchObject([{ outcome: 'kept', cause: 'unconfirmed' }]);
  });

  test('entries that SQS failed for a moment are sent again', async () => {
    await using world = await startWith();
    world.sqs.next('SendMessageBatch', { kind: 'failed-entries' });
    await world.send(99);
    await world.deliver();
    expectSettled(world);
    expect(world.messages('rejected')).toHaveLength(1);
  });

  test('a settled request waits for its outcome event, with an id that stays the same', async () => {
    await using world = await startWith({ outcomes: true });
    world.sqs.next('SendMessageBatch', { kind: 'failed-entries', senderFault: true });
    const messageId = await world.send({ identifier: 10, requestId: 'REQ-1' });
    const [record] = await world.receiveRecords();
    const first = await world.invoke({ Records: [record] });
    expect(batchResponse(first).batchItemFailures).toEqual([{ itemIdentifier: messageId }]);
    expect(world.segura.passwords.get('10')).toBe('active');
    const second = await world.invoke({ Records: [record] });
    expect(batchResponse(second).batchItemFailures).toEqual([]);
    expectEnabled(world, 10);
    const sent = world.sqs.calls('SendMessageBatch').map(({ input }) => {
      const [entry] = input['Entries'] as { MessageBody: string }[];
      return JSON.parse(entry?.MessageBody ?? '{}');
    });
    expect(sent).toMatchObject([
      { outcome: 'enabled', identifier: 10, requestId: 'REQ-1', messageId },
      { outcome: 'already-enabled', identifier: 10, requestId: 'REQ-1', messageId },
    ]);
    expect(sent[0].outcomeId).toBe(sent[1].outcomeId);
  });

  test('a message delivered twice in one batch is called once and answered', async () => {
    await using world = await startWith();
    world.segura.settings.outage = { kind: 'fixture', name: 'kong-acl-forbidden' };
    const messageId = await world.send(10);
    const [record] = await world.receiveRecords();
    const result = await world.invoke({ Records: [record, { ...record, receiptHandle: record?.receiptHandle }] });
    expect(batchResponse(result).batchItemFailures).toEqual([{ itemIdentifier: messageId }]);
    expect(world.segura.enableCalls()).toHaveLength(1);
    expect(world.auditLines()).toHaveLength(1);
  });

  test('after a kept message the later ones of its group are kept untouched, in order; other groups go on', async () => {
    await using world = await startWith({ fifo: true });
    world.segura.always(10, { kind: 'fixture', name: 'kong-acl-forbidden' });
    const record = (body: number, group: string, index: number) => ({
      messageId: `${group}-${index}`,
      receiptHandle: `handle-${group}-${index}`,
      body: String(body),
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: String(Date.now()),
        MessageGroupId: group,
        SequenceNumber: String(index),
      },
      messageAttributes: {},
      eventSource: 'aws:sqs',
      eventSourceARN: world.sqs.arnOf('requests'),
    });
    const records = [record(10, 'a', 1), record(11, 'a', 2), record(12, 'b', 3), record(13, 'a', 4)];
    expect(batchResponse(await world.invoke({ Records: records })).batchItemFailures).toEqual([
      { itemIdentifier: 'a-1' },
      { itemIdentifier: 'a-2' },
      { itemIdentifier: 'a-4' },
    ]);
    expect(
      world.segura
        .enableCalls()
        .map(({ identifier }) => identifier)
        .sort(),
    ).toEqual(['10', '12']);
    const changes = world.sqs
      .calls('ChangeMessageVisibilityBatch')
      .flatMap(({ input }) => input['Entries'] as { ReceiptHandle: string }[]);
    expect(changes.map(({ ReceiptHandle }) => ReceiptHandle)).toEqual(['handle-a-1']);
  });

  test('asks for one token and reads one secret for all', async () => {
    await using world = await startWith({
      passwords: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [i + 1, 'disabled' as const])),
    });
    await Promise.all(Array.from({ length: 50 }, (_, index) => world.send(index + 1)));
    await world.deliver({ max: 50 });
    expectSettled(world);
    expect(world.segura.tokenRequests()).toHaveLength(1);
    expect(world.secrets.reads).toHaveLength(1);
    expect(world.auditLines()).toHaveLength(50);
  });

  test('a token near its end is renewed before it is refused', async () => {
    await using world = await startWith({ segura: { expiresIn: 100 }, env: MOVABLE_CLOCK });
    await world.send(10);
    await world.deliver();
    await world.send(11);
    expect(await invokeLater(world, 60_000)).toEqual([]);
    expect(world.segura.tokenRequests()).toHaveLength(2);
    expect(world.segura.enableCalls().map(({ status }) => status)).toEqual([200, 200]);
  });
});

describe.concurrent('A fixed secret', () => {
  test('a rotated client: the secret is read again once when the token endpoint rejects it', async () => {
    await using world = await startWith();
    await world.send(10);
    await world.deliver();
    world.segura.revokeTokens();
    world.segura.settings.clientSecret = 'client-secret-2';
    world.secrets.put('mysafe/segura', world.secretValue({ clientSecret: 'not-yet-valid' }), { stage: 'AWSPENDING' });
    world.secrets.put('mysafe/segura', world.secretValue());
    await world.send(11);
    await world.deliver();
    expectSettled(world);
    expect(world.secrets.reads).toHaveLength(2);
    expect(world.secrets.reads.every(({ input }) => input['VersionStage'] === 'AWSCURRENT')).toBe(true);
  });

  test('a client that stays refused: kept, and the secret read again at most once in 30 s', async () => {
    await using world = await startWith({ secret: { clientSecret: 'wrong' } });
    const messageId = await world.send(10);
    await world.deliver();
    expectKept(world, messageId);
    expect(world.secrets.reads).toHaveLength(2);
    await world.send(11);
    await world.deliver();
    expect(world.secrets.reads).toHaveLength(2);
    expect(world.segura.tokenRequests().length).toBeGreaterThan(1);
    expect(world.segura.enableCalls()).toEqual([]);
    expect(world.lambda.text()).not.toContain('wrong');
  });

  test('a fixed secret is used in the same invocation, by all of a batch', async () => {
    await using world = await startWith();
    await world.send(10);
    await world.deliver();
    world.segura.revokeTokens();
    world.segura.settings.clientSecret = 'client-secret-2';
    world.secrets.put('mysafe/segura', world.secretValue());
    for (const identifier of [11, 12]) await world.send(identifier);
    await world.deliver();
    expectSettled(world);
    expect(world.secrets.reads).toHaveLength(2);
  });
});

describe.concurrent('Environment of enable-password', () => {
  test('a missing or malformed variable fails at start with a message that names each', async () => {
    await using world = await startWith({
      env: { SEGURA_SECRET_ID: undefined, REJECTED_QUEUE_URL: undefined, SEGURA_TIMEOUT_MS: 'soon' },
    });
    const { functionError } = await world.invoke({ Records: [] });
    expect(functionError).toMatch(/SEGURA_SECRET_ID.*REJECTED_QUEUE_URL.*SEGURA_TIMEOUT_MS/);
  });

  test('MAX_REQUEST_AGE_SECONDS 0 turns the age limit off', async () => {
    await using world = await startWith({ env: { MAX_REQUEST_AGE_SECONDS: '0' } });
    await world.send(10, { attributes: { FirstSentAt: { DataType: 'String', StringValue: '2016-01-01T00:00:00Z' } } });
    await world.deliver();
    expectEnabled(world, 10);
  });

  test.each([
    ['RENEWAL_SENDERS', { RENEWAL_SENDERS: 'AROAOTHER,local' }, 'active'],
    ['anybody else', {}, 'disabled'],
  ])('a request renewed by %s after its notAfter leaves the password %s', async (_, env, state) => {
    await using world = await startWith({ env });
    const RenewedAt = { DataType: 'String', StringValue: new Date().toISOString() };
    await world.send({ identifier: 10, notAfter: '2026-01-01T00:00:00Z' }, { attributes: { RenewedAt } });
    await world.deliver();
    expect(world.segura.passwords.get('10')).toBe(state);
    expect(world.auditLines()).toMatchObject([{ sentBy: 'local' }]);
    const [letter] = world.messages('rejected');
    if (letter) expect(letter.messageAttributes).not.toHaveProperty('RenewedAt');
  });
});

describe.concurrent('The secret', () => {
  test.each([
    ['no JSON', 'url=https://x', /not JSON/],
    ['a missing key', { clientSecret: undefined }, /clientSecret is missing/],
    ['http to a far host', { url: 'http://segura.example.com' }, /url must be https/],
    ['a key without its certificate', { clientKey: '-----BEGIN PRIVATE KEY-----\nx' }, /belong together/],
  ])('a secret with %s keeps the messages and says what to fix', async (_, secret, said) => {
    await using world = await startWith(typeof secret === 'string' ? {} : { secret });
    if (typeof secret === 'string') world.secrets.put('mysafe/segura', secret);
    const messageId = await world.send(10);
    await world.deliver();
    expectKept(world, messageId);
    expectNoCall(world);
    expect(world.lines().some(({ level, detail }) => level === 'ERROR' && said.test(String(detail)))).toBe(true);
  });

  test('a secret that Secrets Manager does not give keeps the messages, and they are carried out when it does', async () => {
    await using world = await startWith();
    world.secrets.settings.fault = 'denied';
    await world.send(10);
    const [record] = await world.receiveRecords();
    const refused = await world.invoke({ Records: [record] });
    expect(batchResponse(refused).batchItemFailures).toHaveLength(1);
    world.secrets.settings.fault = undefined;
    expect(batchResponse(await world.invoke({ Records: [record] })).batchItemFailures).toEqual([]);
  });

  test('a private certificate authority and a client certificate are honoured', async () => {
    await using world = await startWith({ tls: 'mutual' });
    await world.send(10);
    await world.deliver();
    expectSettled(world);
  });

  test('an unknown authority is told apart from a time-out, and keeps the message', async () => {
    await using world = await startWith({ tls: 'private-ca', secret: { caCertificate: undefined } });
    const messageId = await world.send(10);
    await world.deliver();
    expectKept(world, messageId);
    expect(world.auditLines()).toMatchObject([{ outcome: 'kept', cause: 'tls' }]);
    expectNoCall(world);
  });
});

describe.concurrent('A dead letter in rejected', () => {
  test('1005, 1006: dead letter in rejected with the attributes of the contract, then done', async () => {
    await using world = await startWith();
    const attributes = {
      Tenant: { DataType: 'String.slug', StringValue: 'acme' },
      Priority: { DataType: 'Number', StringValue: '2' },
      Signature: { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255, 1]) },
    };
    const unknown = await world.send('{"identifier":  99}', { attributes });
    const forbidden = await world.send(14);
    await world.deliver();
    expectSettled(world);
    expect(world.messages('rejected')).toHaveLength(2);
    expectRejected(world, forbidden, '1006');
    const { body, messageAttributes } = expectRejected(world, unknown, '1005');
    expect(body).toBe('{"identifier":  99}');
    expect(messageAttributes).toMatchObject({
      Tenant: attributes.Tenant,
      Priority: attributes.Priority,
      Signature: { DataType: 'Binary' },
      ErrorMessage: { StringValue: '1005: Password not found' },
      ReplayCount: { DataType: 'Number', StringValue: '0' },
    });
    expect(Buffer.from(messageAttributes['Signature']?.BinaryValue ?? '', 'base64')).toEqual(Buffer.from([0, 255, 1]));
    for (const name of ['FirstSentAt', 'FailedAt']) {
      expect(messageAttributes[name]?.StringValue).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    }
  });

  test('ten attributes: the own ones make room last to first, and that is logged', async () => {
    await using world = await startWith();
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
    await world.send(99, {
      attributes: Object.fromEntries(names.map((name) => [name, { DataType: 'String', StringValue: name }])),
    });
    await world.deliver();
    expectSettled(world);
    const kept = Object.keys(world.messages('rejected')[0]?.messageAttributes ?? {});
    expect(kept).toHaveLength(10);
    expect(kept).toEqual(
      expect.arrayContaining(['a', 'b', 'c', 'd', 'ErrorCode', 'ErrorMessage', 'OriginalMessageId']),
    );
    expect(world.lines()).toContainEqual(
      expect.objectContaining({ droppedAttributes: ['j', 'i', 'h', 'g', 'f', 'e'] }),
    );
  });

  test('a dead letter keeps its group', async () => {
    await using world = await startWith({ fifo: true });
    await world.send(99, { groupId: 'team-7' });
    await world.deliver();
    expectSettled(world);
    expect(world.messages('rejected')).toMatchObject([{ body: '99', groupId: 'team-7' }]);
  });
});

describe.concurrent('Logs, metrics, traces', () => {
  test('the requester is audited and never sent to Segura', async () => {
    await using world = await startWith();
    const who = { requestId: 'REQ-1', requestedBy: 'ana', reason: 'on-call', source: 'itsm' };
    await world.send({ identifier: 10, ...who });
    await world.deliver();
    expect(world.auditLines()).toMatchObject([
      { identifier: 10, outcome: 'enabled', attempts: 1, receiveCount: 1, ...who },
    ]);
    expect(JSON.stringify(world.segura.journal)).not.toMatch(/REQ-1|ana|on-call|itsm/);
  });

  test('the X-Ray trace header goes on with the dead letter', async () => {
    await using world = await startWith();
    await world.send(99);
    const [record] = await world.receiveRecords();
    const AWSTraceHeader = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
    await world.invoke({ Records: [{ ...record, attributes: { ...record?.attributes, AWSTraceHeader } }] });
    expect(world.sqs.calls('SendMessageBatch')[0]?.input['Entries']).toMatchObject([
      { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: AWSTraceHeader } } },
    ]);
    expect(world.auditLines()).toMatchObject([{ xray_trace_id: '1-5759e988-bd862e3fe1be46a994272793' }]);
  });
});
