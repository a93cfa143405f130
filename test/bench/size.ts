/** `node test/bench/size.ts`: what each built function weighs gzipped; exits 1 where one is over its budget. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { say, table } from '../../functions/cli/terminal/print.ts';

/** Bytes, source map apart: its cold start is paid by each execution environment. */
export const BUDGETS: Readonly<Record<string, number>> = { 'enable-password': 80_000 };

export interface Size {
  readonly name: string;
  readonly bytes: number;
  readonly gzippedBytes: number;
  readonly budgetBytes: number | undefined;
  readonly isOver: boolean;
}

export const gzippedBytes = (content: Buffer): number => gzipSync(content, { level: 9 }).length;

/** @throws Error where a function with a budget was not built: a budget that weighs nothing would always be kept. */
export const measureSizes = (dist: string): readonly Size[] => {
  const built = existsSync(dist) ? readdirSync(dist).filter((name) => existsSync(join(dist, name, 'index.mjs'))) : [];
  const missing = Object.keys(BUDGETS).filter((name) => !built.includes(name));
  if (missing.length > 0) throw new Error(`${missing.join(', ')} is not built: run npm run build`);
  return built.map((name) => {
    const content = readFileSync(join(dist, name, 'index.mjs'));
    const gzipped = gzippedBytes(content);
    const budgetBytes = BUDGETS[name];
    return {
      name,
      bytes: content.length,
      gzippedBytes: gzipped,
      budgetBytes,
      isOver: budgetBytes !== undefined && gzipped > budgetBytes,
    };
  });
};

const print = (sizes: readonly Size[]): void => {
  const rows = sizes.map((size) => [
    size.name,
    String(size.bytes),
    String(size.gzippedBytes),
    size.budgetBytes === undefined ? 'none' : String(size.budgetBytes),
  ]);
  say(table(['function', 'bytes', 'gzipped', 'budget'], rows));
  for (const { name, gzippedBytes: gzipped, budgetBytes = 0 } of sizes.filter(({ isOver }) => isOver)) {
    console.error(
      `${name} is ${gzipped - budgetBytes} bytes over its budget: node infra/build.ts --analyze says what it is made of`,
    );
  }
};

if (import.meta.main) {
  try {
    const sizes = measureSizes(process.argv[2] ?? join(import.meta.dirname, '../../dist'));
    print(sizes);
    process.exitCode = sizes.some(({ isOver }) => isOver) ? 1 : 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
