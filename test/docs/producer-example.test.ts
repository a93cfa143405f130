/** The senders of docs/producer.md, run as they stand there. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parseRequest } from '../../functions/requests/request.ts';
import { startSqs } from '../../infra/local/sqs.ts';
import { environmentOf } from '../loopback/command.ts';
import { readPage, root } from './pages.ts';

const blockOf = (language: string, words: string): string => {
  const found = readPage('docs/producer.md').blocks.find(
    (block) => block.language === language && block.text.includes(words),
  );
  if (!found) throw new Error(`docs/producer.md has no ${language} block with ${words}`);
  return found.text;
};

/** Looked for, not loaded: that takes a second. */
const has = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;
const FIND_BOTO = 'import sys, importlib.util; sys.exit(importlib.util.find_spec("boto3") is None)';

const SENDERS = [
  { language: 'typescript', words: 'sendRequests', file: 'send.ts', run: [process.execPath, 'send.ts'], isThere: true },
  {
    language: 'python',
    words: 'send_requests',
    file: 'send.py',
    run: ['python3', 'send.py'],
    isThere: has('python3', '-c', FIND_BOTO),
  },
  {
    language: 'sh',
    words: 'aws sqs send-message',
    file: 'send.sh',
    run: ['bash', '-e', 'send.sh'],
    isThere: has('sh', '-c', 'command -v aws'),
  },
];

for (const { language, words, file, run, isThere } of SENDERS) {
  test.skipIf(!isThere)(`what the ${language} sender sends, the function takes`, async () => {
    const sqs = await startSqs();
    const folder = await mkdtemp(join(tmpdir(), 'mysafe-enable-test-'));
    try {
      await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
      await writeFile(join(folder, 'package.json'), '{"type": "module"}');
      // Version 1 of the AWS CLI follows no endpoint variable.
      const text = blockOf(language, words).replace(
        '--queue-url',
        '--endpoint-url "$AWS_ENDPOINT_URL_SQS" --queue-url',
      );
      await writeFile(join(folder, file), text);
      const [command = '', ...args] = run;
      await promisify(execFile)(command, args, {
        cwd: folder,
        env: {
          ...process.env,
          ...environmentOf(sqs),
          AWS_DEFAULT_REGION: 'us-east-1',
          AWS_CONFIG_FILE: join(folder, 'none'),
        },
      });
      const sent = sqs.messages('requests').map(({ body }) => parseRequest(body));
      expect(sent.length).toBeGreaterThan(0);
      for (const parsed of sent) {
        expect(parsed).toMatchObject({
          kind: 'request',
          request: { requestId: 'RITM0012345', notAfter: expect.any(Date) },
        });
      }
    } finally {
      await sqs.close();
      await rm(folder, { recursive: true });
    }
  });
}
