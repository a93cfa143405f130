/**
 * AWS's own Lambda runtime client (aws-lambda-ric) around a built bundle, and the Runtime API (2018-06-01) it polls.
 * One execution environment.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { InvocationResult } from '../../infra/local/event-source.ts';

export interface RuntimeOptions {
  /** The folder of the bundle, as it is unpacked in Lambda: `index.mjs` with `handler`. */
  readonly taskRoot: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Lambda's handler setting; relative to the task root. */
  readonly handler?: string;
}

interface Waiting {
  readonly id: string;
  readonly body: string;
  readonly resolve: (result: InvocationResult) => void;
  readonly startedAt: number;
}

const ric = join(dirname(createRequire(import.meta.url).resolve('aws-lambda-ric/package.json')), 'index.mjs');

export const startRuntime = async ({
  taskRoot,
  env,
  timeoutMs = 30_000,
  handler = 'index.handler',
}: RuntimeOptions) => {
  const queue: Waiting[] = [];
  const running = new Map<string, Waiting>();
  const ready = Promise.withResolvers<void>();
  let parked: ServerResponse | undefined;
  let initError: { errorType: string; errorMessage: string } | undefined;
  let output = '';

  const hand = (): void => {
    const next = parked && queue.shift();
    if (!(parked && next)) return;
    running.set(next.id, next);
    parked.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': next.id,
      'lambda-runtime-deadline-ms': String(Date.now() + timeoutMs),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:000000000000:function:trial',
      'lambda-runtime-trace-id': 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0',
    });
    parked.end(next.body);
    parked = undefined;
  };

  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const path = request.url?.replace('/2018-06-01/runtime', '') ?? '';
    if (path === '/invocation/next') {
      parked = response;
      ready.resolve();
      return hand();
    }
    if (path === '/init/error') {
      initError = JSON.parse(body);
      response.writeHead(202).end('{"status":"OK"}');
      return ready.resolve();
    }
    const [, id = '', kind] = /^\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    const invocation = running.get(id);
    response.writeHead(invocation ? 202 : 400).end('{}');
    running.delete(id);
    const payload: unknown = body === '' ? undefined : JSON.parse(body);
    const error = payload as { errorType?: string; errorMessage?: string } | undefined;
    invocation?.resolve({
      payload,
      durationMs: performance.now() - invocation.startedAt,
      ...(kind === 'error' ? { functionError: `${error?.errorType}: ${error?.errorMessage}` } : {}),
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const child = spawn(process.execPath, ['--import', join(import.meta.dirname, 'rapid-client-hook.mjs'), ric], {
    cwd: taskRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      TZ: ':UTC',
      LANG: 'en_US.UTF-8',
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      _HANDLER: handler,
      LAMBDA_TASK_ROOT: taskRoot,
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_FUNCTION_NAME: 'trial',
      AWS_LAMBDA_FUNCTION_VERSION: '1',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/trial',
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/01/01/[1]0',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      ...env,
    },
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  child.on('exit', (code, signal) => {
    for (const { resolve } of running.values())
      resolve({ functionError: `Runtime.ExitError: ${signal ?? code}`, durationMs: 0 });
    ready.resolve();
  });
  await ready.promise;

  return {
    /** Why the bundle did not start, if it did not. */
    initError,
    output: (): string => output,
    invoke: (event: unknown): Promise<InvocationResult> =>
      new Promise((resolve) => {
        queue.push({ id: crypto.randomUUID(), body: JSON.stringify(event), resolve, startedAt: performance.now() });
        hand();
      }),
    [Symbol.asyncDispose]: async (): Promise<void> => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      server.closeAllConnections();
      server.close();
    },
  };
};
