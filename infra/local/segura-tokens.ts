/** Segura's token endpoint: the client credentials grant, with tokens that expire and can be revoked. */
import type { IncomingMessage } from 'node:http';
import { fixture } from './faults.ts';
import type { WireAnswer } from './kong.ts';

export interface TokenSettings {
  clientId: string;
  clientSecret: string;
  /** Where set, the request must name it. */
  tenant: string | undefined;
  /** As the answer says it, whatever that is. */
  expiresIn: unknown;
  /** How long a token really holds. */
  tokenLifetimeMs: number;
}

export interface Token {
  /** From 1. */
  readonly number: number;
  readonly expiresAt: number;
}

/** Of HTTP Basic or of the form: RFC 6749, section 2.3.1. */
const credentialsOf = ({ headers }: IncomingMessage, form: URLSearchParams) => {
  const basic = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1];
  if (!basic) return [form.get('client_id'), form.get('client_secret')];
  return Buffer.from(basic, 'base64').toString().split(/:(.*)/s);
};

export const createTokens = (settings: TokenSettings) => {
  const tokens = new Map<string, Token>();
  let issued = 0;
  return {
    issue: (request: IncomingMessage, body: string): WireAnswer => {
      const { tenant } = settings;
      const form = new URLSearchParams(body);
      const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
      if (!isForm || form.get('grant_type') !== 'client_credentials') return fixture('unsupported-grant-type');
      const [id, secret] = credentialsOf(request, form);
      if (id !== settings.clientId || secret !== settings.clientSecret) return fixture('invalid-client-v8');
      if (tenant !== undefined && form.get('tenant') !== tenant) return fixture('token-envelope-error');
      issued += 1;
      const token = `token-${issued}-${crypto.randomUUID()}`;
      tokens.set(token, { number: issued, expiresAt: Date.now() + settings.tokenLifetimeMs });
      return {
        status: 200,
        headers: { 'content-type': 'application/json; charset=UTF-8' },
        body: JSON.stringify({ token_type: 'Bearer', expires_in: settings.expiresIn, access_token: token }),
      };
    },
    /** The one that a request presents, expired or not; none that is foreign or revoked. */
    presented: ({ headers }: IncomingMessage): Token | undefined =>
      tokens.get(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? ''),
    revoke: (): void => tokens.clear(),
  };
};
