/** `send --wait`: until each request is settled, by the audit log of a whole world. */
import { describe, expect, test } from 'vitest';
import { openAccount } from './account.ts';

describe.concurrent('send --wait', () => {
  test('ends with 0 once all are enabled, and with 1 where one is rejected, each told with its outcome', async () => {
    await using account = await openAccount({ passwords: { 10: 'disabled', 11: 'no-access' } });
    const running = account.run(['send', '10', '11', '--wait', '--json']);
    let isOver = false;
    const over = running.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      await account.world.pump();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { status, json, stderr } = await over;
    expect([status, json]).toEqual([
      1,
      {
        sent: 2,
        invalid: 0,
        failed: 0,
        notTried: 0,
        messages: [
          { place: 'argument 1', identifier: 10, messageId: expect.any(String), outcome: 'enabled' },
          {
            place: 'argument 2',
            identifier: 11,
            messageId: expect.any(String),
            outcome: 'rejected',
            errorCode: '1006',
          },
        ],
      },
    ]);
    expect(stderr).toMatch(/argument 2: rejected, 1006: User does not have access\n/);
  });

  test('interrupted ends with 130, and says what is not settled yet', async () => {
    await using account = await openAccount();
    const looked = () => account.logs.journal.length > 0;
    const { status, json, stderr } = await account.run(['send', '10', '--wait', '--json'], {
      watch: () => (looked() ? 'SIGINT' : undefined),
    });
    expect([status, json]).toMatchObject([130, { sent: 1, notTried: 0, messages: [{ outcome: 'waiting' }] }]);
    expect(stderr).toContain('1 of them not settled yet');
  });
});
