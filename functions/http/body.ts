/** The body of an answer: read no further than it can matter, and decoded where it comes compressed all the same. */
import type { IncomingMessage } from 'node:http';

type Decode = (bytes: Buffer, maxBytes: number) => Buffer;

const zlib = () => process.getBuiltinModule('node:zlib');

const gunzip: Decode = (bytes, maxOutputLength) => zlib().gunzipSync(bytes, { maxOutputLength });

/** By RFC 9110 8.4.1, with the old name of gzip. */
const DECODERS: Readonly<Record<string, Decode>> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  // Two formats have this name: zlib's, which begins with the method 8, and the raw one of old servers.
  deflate: (bytes, maxOutputLength) =>
    ((bytes[0] ?? 0) & 0x0f) === 8
      ? zlib().inflateSync(bytes, { maxOutputLength })
      : zlib().inflateRawSync(bytes, { maxOutputLength }),
  br: (bytes, maxOutputLength) => zlib().brotliDecompressSync(bytes, { maxOutputLength }),
};

const NOTHING = Buffer.alloc(0);

/**
 * @param encoding `Content-Encoding`: we ask for none, and some proxies compress all the same
 * @returns nothing for what is no such coding, or is more than `maxBytes` when it is decoded (a bomb): the status is all that
 * such an answer says
 */
const decode = (bytes: Buffer, encoding: string, maxBytes: number): Buffer => {
  // The last one was applied last.
  const codings = encoding.toLowerCase().split(',').reverse();
  try {
    return codings.reduce((body, coding) => DECODERS[coding.trim()]?.(body, maxBytes) ?? body, bytes);
  } catch {
    return NOTHING; // as said above
  }
};

/** Calls `done` with at most `maxBytes` of the body; never, where the connection ends in the middle of it. */
export const readBody = (response: IncomingMessage, maxBytes: number, done: (body: string) => void): void => {
  const encoding = response.headers['content-encoding'];
  const chunks: Buffer[] = [];
  let bytes = 0;
  const end = (): void => {
    const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
    const isEncoded = encoding !== undefined && body.length > 0;
    done((isEncoded ? decode(body, encoding, maxBytes) : body).toString('utf8', 0, maxBytes));
  };
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes <= maxBytes) return;
    end();
    response.destroy();
  });
  response.on('end', end);
};
