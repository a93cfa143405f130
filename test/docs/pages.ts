/** The pages for people, and what a test must know of their Markdown: headings, anchors, links, fenced blocks. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** The nearest heading above. */
  readonly heading: string;
  /** `docs/operator.md:12`, for the names of tests. */
  readonly place: string;
}

export interface Page {
  readonly name: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly headings: readonly string[];
  readonly anchors: ReadonlySet<string>;
  readonly links: readonly string[];
}

/** GitHub's own rule: lower case, punctuation gone, spaces to hyphens, a number for a repeated one. */
const anchorsOf = (headings: readonly string[]): Set<string> => {
  const seen = new Map<string, number>();
  return new Set(
    headings.map((heading) => {
      const anchor = heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-');
      const times = seen.get(anchor) ?? 0;
      seen.set(anchor, times + 1);
      return times === 0 ? anchor : `${anchor}-${times}`;
    }),
  );
};

export const readPage = (name: string): Page => {
  const text = readFileSync(join(root, name), 'utf8');
  const blocks: Block[] = [];
  const headings: string[] = [];
  const prose: string[] = [];
  let open:
    | { readonly fence: string; readonly language: string; readonly line: number; readonly lines: string[] }
    | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const [, fence = '', language = ''] = /^\s*(`{3,}|~{3,})\s*(\S*)/.exec(line) ?? [];
    if (open) {
      if (fence === open.fence && language === '') {
        const { language: found, line: at, lines } = open;
        const place = `${name}:${at}`;
        blocks.push({
          page: name,
          line: at,
          language: found,
          text: lines.join('\n'),
          heading: headings.at(-1) ?? '',
          place,
        });
        open = undefined;
      } else open.lines.push(line);
    } else if (fence) {
      open = { fence, language, line: index + 1, lines: [] };
    } else {
      const heading = /^#{1,6}\s+(.+?)\s*$/.exec(line)?.[1];
      if (heading) headings.push(heading);
      prose.push(line);
    }
  }
  if (open) throw new Error(`${name}:${open.line}: the block is not closed`);
  // Not within `code`: there brackets are just brackets.
  const links = [
    ...prose
      .join('\n')
      .replace(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ].map(([, link]) => link ?? '');
  return { name, text, blocks, headings, anchors: anchorsOf(headings), links };
};

/** The pages of the first folder, the runbook, and every page of docs/. */
export const readPages = (): readonly Page[] =>
  [
    'README.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'infra/runbook.md',
    ...readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ]
    .filter((name) => existsSync(join(root, name)))
    .map(readPage);
