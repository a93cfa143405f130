/** The page of `npm start -- --watch` in a real browser: what a visitor sees and does, at each size and by keyboard. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { source as axeSource } from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../infra/local/world.ts';

const root = join(import.meta.dirname, '../..');
const LIMIT_MS = 60_000;

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = process.env['CHROMIUM'] ?? BROWSERS.find((path) => existsSync(path));

let world: ChildProcess;
let url = '';
let browser: Browser;

beforeAll(async () => {
  if (!executablePath) throw new Error('no Chromium: apt-get install chromium, or set CHROMIUM to where one is');
  world = spawn(process.execPath, ['functions/cli/main.ts', 'local', '--watch', '--port', '0'], { cwd: root });
  let printed = '';
  world.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk;
  });
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  await until(() => printed.includes('requested by'), 'the local world', LIMIT_MS);
  url = /The console: (\S+)/.exec(printed)?.[1] ?? '';
});

afterAll(async () => {
  await browser?.close();
  world?.kill('SIGINT');
});

const order = async (path: string, body: unknown = {}): Promise<void> => {
  const { status } = await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  expect(status).toBe(200);
};

beforeEach(() => order('/reset'));

/** A page that complains of nothing. */
const withPage = async (options: BrowserContextOptions, use: (page: Page) => Promise<void>): Promise<void> => {
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('request', (request) => {
      const { protocol } = new URL(request.url());
      if (protocol !== 'data:' && !request.url().startsWith(url)) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(url);
    await page.locator('#connection[data-state="live"]').waitFor();
    await use(page);
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
};

const button = (page: Page, name: string) => page.getByRole('button', { name });

const count = async (page: Page, queue: string): Promise<number> =>
  Number(await page.locator(`[data-queue="${queue}"]`).getAttribute('data-count'));

const segura = (page: Page) => page.locator('[data-segura]').getAttribute('data-segura');

const eventually = { timeout: LIMIT_MS, interval: 100 };

const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

/** What axe finds wrong, in words. */
const violations = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    const result = await axe.run(document);
    return result.violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  });
};

const SIZES = [
  ['1280 px', { width: 1280, height: 800 }],
  ['360 px', { width: 360, height: 740 }],
] as const;

describe.each(SIZES)('at %s', (_, viewport) => {
  test('a request is enabled; broken with 503 the next is kept; healed it is enabled, with an outcome', async () => {
    await withPage({ viewport }, async (page) => {
      await page.getByLabel('Identifier').fill('10');
      await button(page, 'Send').click();
      await expect.poll(() => count(page, 'outcomes'), eventually).toBe(1);
      await page.locator('[data-queue="outcomes"] [data-message-id][data-outcome="enabled"]').waitFor();
      expect(await segura(page)).toBe('up');

      await button(page, 'Break').click();
      await expect.poll(() => segura(page), eventually).toBe('503');
      await page.getByLabel('Identifier').fill('11');
      await button(page, 'Send').click();
      await page
        .locator('[data-queue="requests"] [data-message-id][data-outcome="kept"]')
        .waitFor({ timeout: LIMIT_MS });
      expect(await count(page, 'requests')).toBe(1);
      expect(await page.locator('#headline').textContent()).toMatch(/^Broken: .* none lost\.$/);

      await button(page, 'Heal').click();
      await expect.poll(() => segura(page), eventually).toBe('up');
      await expect.poll(() => count(page, 'requests'), eventually).toBe(0);
      await expect.poll(() => count(page, 'outcomes'), eventually).toBe(2);
      expect(await overflow(page)).toBe(0);
    });
  });

  test.each(['light', 'dark'] as const)(
    'axe finds nothing wrong in %s mode, with every kind of row',
    async (colorScheme) => {
      await order('/requests', { identifier: 66, requestId: 'RITM0012345', groupId: 'itsm' });
      await order('/requests', { identifier: 10, count: 12 });
      await withPage({ viewport, colorScheme }, async (page) => {
        await expect.poll(() => count(page, 'outcomes'), eventually).toBe(13);
        await order('/faults', { fault: '429', retryAfter: 60 });
        await order('/requests', { identifier: 30, count: 8 });
        await page.locator('[data-outcome="kept"]').first().waitFor({ timeout: LIMIT_MS });
        await order('/pause');
        await order('/requests', { identifier: 50 });
        await page.locator('[data-outcome="waiting"]').first().waitFor();
        // Rows come in with a movement.
        await page.waitForFunction(() => document.getAnimations().length === 0);
        expect(await violations(page)).toEqual([]);
        await page.locator('[data-outcome="enabled"] button').first().click();
        await page.getByRole('dialog').waitFor();
        expect(await violations(page)).toEqual([]);
        expect(await overflow(page)).toBe(0);
      });
    },
  );
});

const boxOf = async (page: Page, selector: string) => {
  const box = await page.locator(selector).boundingBox();
  if (!box) throw new Error(`${selector} is not shown`);
  return box;
};

test('the picture comes first: at 1280 px beside the controls, at 360 px above them, a link away', async () => {
  await withPage({ viewport: { width: 1280, height: 800 } }, async (page) => {
    const [requests, sender] = [await boxOf(page, '#node-requests'), await boxOf(page, '#sender')];
    expect(requests.x + requests.width).toBeLessThan(sender.x);
    expect(Math.abs(requests.y - sender.y)).toBeLessThan(2);
  });
  await withPage({ viewport: { width: 360, height: 740 } }, async (page) => {
    const [requests, segura] = [await boxOf(page, '#node-requests'), await boxOf(page, '#node-segura')];
    expect(requests.y + requests.height).toBeLessThan(740);
    expect((await boxOf(page, '#sender')).y).toBeGreaterThan(segura.y + segura.height);
    await page.getByRole('link', { name: 'Controls' }).click();
    const header = await boxOf(page, 'header');
    const title = await boxOf(page, '#sender-title');
    expect(title.y).toBeGreaterThanOrEqual(header.y + header.height);
    expect(title.y + title.height).toBeLessThan(740);
    await page.getByRole('link', { name: 'Picture' }).click();
    expect((await boxOf(page, '#node-requests')).y).toBeGreaterThanOrEqual(header.y + header.height);
  });
});

test('by keyboard alone, one sends, breaks, heals, and reads an audit line', async () => {
  await withPage({}, async (page) => {
    const tabTo = async (name: string): Promise<void> => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press('Tab');
        const focused = await page.evaluate(() => {
          const element = document.activeElement;
          return element instanceof HTMLInputElement ? (element.labels?.[0]?.textContent ?? '') : element?.textContent;
        });
        if (focused?.trim() === name) return;
      }
      throw new Error(`${name} is not reached by Tab`);
    };
    await tabTo('Identifier');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('12');
    await tabTo('Send');
    await page.keyboard.press('Enter');
    await expect.poll(() => count(page, 'outcomes'), eventually).toBe(1);
    await tabTo('Break');
    await page.keyboard.press('Space');
    await expect.poll(() => segura(page), eventually).toBe('503');
    await tabTo('Heal');
    await page.keyboard.press('Enter');
    await expect.poll(() => segura(page), eventually).toBe('up');
    await page.locator('[data-queue="outcomes"] [data-message-id] button').first().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('"outcome": "enabled"').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  });
});

test('keys do what the buttons do, but not while one types, and not once they are off', async () => {
  await withPage({}, async (page) => {
    await page.locator('body').press('p');
    await page.locator('#pause[aria-pressed="true"]').waitFor();
    await page.getByLabel('Ticket').pressSequentially('scbhpr');
    await page.locator('#headline').click();
    await page.keyboard.press('s');
    await expect.poll(() => count(page, 'requests'), eventually).toBe(1);
    await page.locator('#headline').click();
    await page.keyboard.press('p');
    await page.locator('#pause[aria-pressed="false"]').waitFor();
    await expect.poll(() => count(page, 'outcomes'), eventually).toBe(1);
    await page.getByLabel('keys on').uncheck();
    await page.keyboard.press('b');
    await page.keyboard.press('c');
    await page.waitForTimeout(500);
    expect([await segura(page), await count(page, 'requests')]).toEqual(['up', 0]);
  });
});

test('each fault of the form is what the server then names, with its scope and its end', async () => {
  await withPage({}, async (page) => {
    await page.getByLabel('Fault').selectOption('slow');
    await page.getByLabel('Slower by').fill('3');
    await page.locator('select[name="scope"]').selectOption('one');
    await page.getByLabel('Which password').fill('12');
    await page.locator('select[name="seconds"]').selectOption('120');
    await button(page, 'Break').click();
    await expect.poll(() => segura(page), eventually).toBe('slow');
    const { faults } = (await (await fetch(`${url}/faults`)).json()) as { faults: unknown[] };
    expect(faults).toEqual([{ fault: 'slow', share: 1, identifier: '12', delayMs: 3000, endsAt: expect.any(Number) }]);
    await page.getByLabel('Fault').selectOption('sqs-failing');
    expect(await page.locator('select[name="scope"]').isDisabled()).toBe(true);
    await button(page, 'Break').click();
    await expect.poll(() => segura(page), eventually).toBe('sqs-failing');
  });
});

test('pause leaves requests waiting, and replay puts dead letters back', async () => {
  await withPage({}, async (page) => {
    await page.getByLabel('Identifier').fill('404');
    await button(page, 'Send').click();
    await expect.poll(() => count(page, 'rejected'), eventually).toBe(1);
    await button(page, 'Pause').click();
    await page.locator('#function-state').getByText('paused').waitFor();
    await button(page, 'Replay').click();
    await page.getByText('1 of 1 dead letters are back on requests.').waitFor();
    await page.locator('[data-queue="requests"] [data-outcome="waiting"]').waitFor();
    await button(page, 'Pause').click();
    await expect.poll(() => count(page, 'rejected'), eventually).toBe(1);
  });
});

test('a hundred at once are a hundred outcomes', async () => {
  await withPage({}, async (page) => {
    await page.getByLabel('Identifier').fill('100');
    await button(page, 'One hundred').click();
    await page.getByText('100 requests are on the queue.').waitFor({ timeout: LIMIT_MS });
    await expect.poll(() => count(page, 'outcomes'), eventually).toBe(100);
  });
});

test('text of a message is text, and runs nothing', async () => {
  const hostile = '<img src=x onerror="window.wasRun=1">';
  await withPage({}, async (page) => {
    await order('/requests', { identifier: hostile, requestId: hostile, requestedBy: hostile });
    const row = page.locator('[data-queue="rejected"] [data-message-id]');
    await row.waitFor({ timeout: LIMIT_MS });
    expect(await row.textContent()).toContain('<img src=x');
    await row.click();
    await page.getByRole('dialog').waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.evaluate(() => (window as unknown as { wasRun?: number }).wasRun)).toBeUndefined();
  });
});
