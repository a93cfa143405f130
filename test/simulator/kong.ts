/**
 * Kong, as far as a client sees it: its own error answers, whose form follows the request's Accept header.
 * Source: Kong/kong, kong/error_handlers.lua, tags 2.8.5 and 3.9.1 (read 2026-11).
 */
import { randomBytes } from 'node:crypto';

export type KongVersion = '2.8.5' | '3.9.1';

/** One HTTP answer, ready to be written. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const MESSAGES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  404: 'no Route matched with those values',
  405: 'Method not allowed',
  408: 'Request timeout',
  411: 'Length required',
  429: 'API rate limit exceeded',
  500: 'An unexpected error occurred',
  502: 'An invalid response was received from the upstream server',
  503: 'The upstream server is currently unavailable',
  504: 'The upstream server is timing out',
};

type Form = 'json' | 'html' | 'plain' | 'xml';

const formFor = (accept: string): Form => {
  const type = accept.split(',')[0]?.split(';')[0]?.trim() ?? '';
  if (type === 'text/html') return 'html';
  if (type === 'application/xml' || type === 'text/xml') return 'xml';
  return type === 'text/plain' ? 'plain' : 'json';
};

const CONTENT_TYPES: Readonly<Record<Form, string>> = {
  json: 'application/json; charset=utf-8',
  html: 'text/html; charset=utf-8',
  plain: 'text/plain; charset=utf-8',
  xml: 'application/xml; charset=utf-8',
};

const render = (form: Form, message: string, version: KongVersion, requestId: string): string => {
  const isNew = version === '3.9.1';
  switch (form) {
    case 'json':
      return isNew
        ? `{\n  "message":"${message}",\n  "request_id":"${requestId}"\n}`
        : `{\n  "message":"${message}"\n}`;
    case 'html':
      return `<!doctype html>\n<html>\n  <head>\n    <meta charset="utf-8">\n    <title>Kong Error</title>\n  </head>\n  <body>\n    <h1>Kong Error</h1>\n    <p>${message}.</p>\n${isNew ? `    <p>request_id: ${requestId}</p>\n` : ''}  </body>\n</html>\n`;
    case 'plain':
      return `${message}\n${isNew ? `request_id: ${requestId}\n` : ''}`;
    case 'xml':
      return `<?xml version="1.0" encoding="UTF-8"?>\n<error>\n  <message>${message}</message>\n${isNew ? `  <requestid>${requestId}</requestid>\n` : ''}</error>\n`;
  }
};

/** What Kong itself answers with `status`. */
export const kongAnswer = (
  status: number,
  accept: string,
  version: KongVersion,
  { message = MESSAGES[status] ?? `The upstream server responded with ${status}`, headers = {} } = {},
): WireAnswer => {
  const requestId = randomBytes(16).toString('hex');
  // Up to 3.2, "no Route" was always compact JSON.
  const isCompact = version === '2.8.5' && status === 404;
  const form = isCompact ? 'json' : formFor(accept);
  return {
    status,
    headers: {
      server: `kong/${version}`,
      'x-kong-response-latency': '1',
      'content-type': CONTENT_TYPES[form],
      ...(version === '3.9.1' ? { 'x-kong-request-id': requestId } : {}),
      ...headers,
    },
    body: isCompact ? `{"message":"${message}"}` : render(form, message, version, requestId),
  };
};

/** What Kong adds to an answer of the upstream. */
export const proxied = (answer: WireAnswer, version: KongVersion): WireAnswer => ({
  ...answer,
  headers: {
    ...answer.headers,
    via: version === '3.9.1' ? '1.1 kong/3.9.1' : `kong/${version}`,
    'x-kong-upstream-latency': '3',
    'x-kong-proxy-latency': '1',
  },
});
