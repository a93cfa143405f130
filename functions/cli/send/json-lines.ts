/** JSON Lines: a line ends at a line feed, and at nothing else; U+2028 is a character of a text like any other. */
import { type Found, MAX_LINE_LENGTH } from './found.ts';

/** @param chunks of UTF-8, each ending with a whole character */
export async function* readJsonLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly Found[]> {
  let rest = '';
  let line = 0;
  const read = (text: string): Found | undefined => {
    line += 1;
    if (text.length > MAX_LINE_LENGTH)
      return { kind: 'fault', place: `line ${line}`, fault: 'it is longer than any message can be' };
    const json = text.trim();
    return json === '' ? undefined : { kind: 'json', place: `line ${line}`, json };
  };
  const readAll = (texts: readonly string[]): Found[] => texts.map(read).filter((found) => found !== undefined);
  for await (const chunk of chunks) {
    const [first = '', ...others] = chunk.toString('utf8').split('\n');
    // Of a line that is too long as much is kept as tells that it is.
    if (rest.length <= MAX_LINE_LENGTH) rest += first;
    const last = others.pop();
    // Its line goes on: what came before is not looked at again.
    if (last === undefined) continue;
    const texts = [rest, ...others];
    rest = last;
    yield readAll(texts);
  }
  yield readAll([rest]);
}
