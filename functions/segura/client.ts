/** `POST api/mysafe/password/active/[identifier]`: sends, never judges. */
import type { Answer } from '../http/send.ts';
import type { Token } from './token.ts';

/** One attempt to enable a password. The token's own vault says where. */
export const enablePassword = (identifier: number, { value, vault }: Token, timeoutMs: number): Promise<Answer> => {
  const { url, referer } = vault.secret;
  const base = url.pathname;
  return vault.send({
    // The base URL ends without a slash (see secret.ts): a doubled or a missing one would be a "no Route".
    url,
    path: `${base === '/' ? '' : base}/api/mysafe/password/active/${identifier}`,
    headers: {
      // Decides the form in which Kong writes its errors.
      Accept: 'application/json',
      Authorization: `Bearer ${value.reveal()}`,
      'User-Agent': 'mysafe-enable',
      ...(referer ? { Referer: referer } : {}),
    },
    timeoutMs,
  });
};
