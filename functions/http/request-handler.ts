/** Our one HTTP call, in the shape of a request handler of the AWS SDK: `createSend` carries every call of its clients. */
import type { Failure } from './failure.ts';
import type { Answer, Connection } from './send.ts';

/** No answer came. The SDK hands it on as it is, and its own retry knows `code`. */
export class TransportError extends Error {
  /** Node's error code, such as `ECONNREFUSED`. */
  readonly code: string;
  readonly failure: Failure;
  constructor({ code, failure }: { readonly code: string; readonly failure: Failure }) {
    super(
      failure === 'proxy' ? 'HTTPS_PROXY: the proxy cannot be reached, or refuses to connect' : `no answer: ${failure}`,
    );
    this.name = 'TransportError';
    this.code = code;
    this.failure = failure;
  }
}

/** What the SDK hands to its request handler (`HttpRequest` of @smithy/types). */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>> | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** Where a command does not say how long a call may take; SQS's longest receive takes 20 s. */
const DEFAULT_TIMEOUT_MS = 60_000;
/** Ten messages of SQS, each character escaped, and a page of the logs. */
const MAX_BODY_BYTES = 16_777_216;

/** RFC 3986, as the signature was made of it. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

const queryOf = (query: SdkRequest['query'] = {}): string => {
  const pairs = Object.keys(query)
    .sort()
    .flatMap((name) => {
      const value = query[name];
      if (value === null || value === undefined) return [encode(name)];
      return [value].flat().map((each) => `${encode(name)}=${encode(each)}`);
    });
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
};

/** The transport writes these itself, from the same URL and body. */
const WRITTEN_BY_TRANSPORT = new Set(['host', 'content-length']);

const headersOf = ({ headers }: SdkRequest): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !WRITTEN_BY_TRANSPORT.has(name.toLowerCase())));

const textOf = (body: SdkRequest['body'] = ''): string =>
  typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();

const responseOf = ({ status, headers, body }: Extract<Answer, { kind: 'answered' }>): SdkResponse => ({
  statusCode: status,
  headers: Object.fromEntries(
    Object.entries(headers).map(([name, value = '']) => [name, Array.isArray(value) ? value.join(', ') : value]),
  ),
  body: Buffer.from(body),
});

export const createRequestHandler = ({ send, close }: Connection) => {
  /** A URL costs more to read than to keep, and there are as many as endpoints. */
  const origins = new Map<string, URL>();
  const originOf = ({ protocol, hostname, port }: SdkRequest): URL => {
    const text = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
    const origin = origins.get(text) ?? new URL(text);
    origins.set(text, origin);
    return origin;
  };

  return {
    metadata: { handlerProtocol: 'http/1.1' },
    /** Called with the client's own `destroy`. */
    destroy: close,
    handle: async (
      request: SdkRequest,
      { requestTimeout = DEFAULT_TIMEOUT_MS }: { readonly requestTimeout?: number } = {},
    ): Promise<{ response: SdkResponse }> => {
      const answer = await send({
        url: originOf(request),
        method: request.method,
        path: `${request.path}${queryOf(request.query)}`,
        headers: headersOf(request),
        body: textOf(request.body),
        timeoutMs: requestTimeout,
        maxBodyBytes: MAX_BODY_BYTES,
      });
      if (answer.kind === 'unanswered') throw new TransportError(answer);
      return { response: responseOf(answer) };
    },
    // For whoever builds on the SDK's own handler; nothing of ours can be changed there.
    updateHttpClientConfig: (): void => undefined,
    httpHandlerConfigs: () => ({}),
  };
};
