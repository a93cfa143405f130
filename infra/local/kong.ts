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

export const NO_PEER = 'failure to get a peer from the ring-balancer';

type Form = 'json' | 'html' | 'plain' | 'xml';

const FORMS: Readonly<Record<string, Form>> = {
  'application/json': 'json',
  'text/html': 'html',
  'text/plain': 'plain',
  'application/xml': 'xml',
};

/** The first of the best: `text/html;q=0.5, application/xml` is XML. What it does not know is JSON to it. */
const preferredForm = (accept: string): Form => {
  let best = { form: 'json' as Form, quality: 0 };
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const quality = Number(parameters.find((each) => /^q=[0-9]*\.?[0-9]+$/.test(each))?.slice(2) ?? 1);
    if (type.includes('/') && quality > best.quality) best = { form: FORMS[type] ?? 'json', quality };
  }
  return best.form;
};

/** 2.1 to 3.2 take the header as a whole; from 3.5 it is parsed, qualities and all. */
const formFor = (accept: string, version: KongVersion): Form =>
  version === '2.8.5' ? (FORMS[accept.trim()] ?? 'json') : preferredForm(accept);

const CONTENT_TYPES: Readonly<Record<Form, string>> = {
  json: 'application/json; charset=utf-8',
  html: 'text/html; charset=utf-8',
  plain: 'text/plain; charset=utf-8',
  xml: 'application/xml; charset=utf-8',
};

const htmlPage = (title: string, message: string, requestId: string | undefined): string =>
  `<!doctype html>
<html>
  <head>
    <meta charset="utf-8">
    <title>${title}</title>
  </head>
  <body>
    <h1>${title}</h1>
    <p>${message}</p>
${requestId ? `    <p>request_id: ${requestId}</p>\n` : ''}  </body>
</html>
`;

const render = (form: Form, message: string, version: KongVersion, requestId: string): string => {
  const isNew = version === '3.9.1';
  switch (form) {
    case 'json':
      return isNew
        ? `{\n  "message":"${message}",\n  "request_id":"${requestId}"\n}`
        : `{\n  "message":"${message}"\n}`;
    case 'html':
      return htmlPage(isNew ? 'Error' : 'Kong Error', `${message}.`, isNew ? requestId : undefined);
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
  // Up to 3.2, "no Route" and a balancer without peers were always compact JSON.
  const isCompact = version === '2.8.5' && (status === 404 || message === NO_PEER);
  const form = isCompact ? 'json' : formFor(accept, version);
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
