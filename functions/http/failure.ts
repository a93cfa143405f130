/** Why no answer came. */

/**
 * `tls` is a handshake that was refused by either side, never a slow one; `proxy` is a proxy that cannot be reached or does
 * not let us out. A proxy that finds no way to the host (`CONNECT` answered with 5xx) is `unreachable`.
 */
export type Failure = 'timeout' | 'refused' | 'reset' | 'dns' | 'unreachable' | 'tls' | 'proxy';

const FAILURES: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_FAIL: 'dns',
  EAI_NODATA: 'dns',
  EAI_NONAME: 'dns',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ETIMEDOUT: 'timeout',
};

/** OpenSSL names its verification failures without a common prefix: `DEPTH_ZERO_SELF_SIGNED_CERT`, `CERT_HAS_EXPIRED`. */
const TLS_CODE = /^ERR_(TLS|SSL|OSSL)|CERT|^EPROTO$|^UNABLE_TO_|SELF_SIGNED|^HOSTNAME_MISMATCH$|^INVALID_(CA|PURPOSE)$/;

/** Anything else cut the exchange short: `ECONNRESET`, `EPIPE`, an answer that is not HTTP (`HPE_…`). */
export const failureOf = (code: string): Failure => FAILURES[code] ?? (TLS_CODE.test(code) ? 'tls' : 'reset');

/** Of Node's codes those of a call that was cut short; the others of a call are known above. */
const CUT_SHORT = /^(ECONNRESET|ECONNABORTED|EPIPE)$|^HPE_|^UND_ERR_|^ERR_(PROXY_TUNNEL|SOCKET|STREAM_PREMATURE_CLOSE)/;

/** Whether it is a code of the network; files have others (`ENOSPC`), and so have mistakes of ours (`ERR_INVALID_ARG_TYPE`). */
export const isNetworkCode = (code: string): boolean => code in FAILURES || TLS_CODE.test(code) || CUT_SHORT.test(code);

/** Where we call through a proxy, it is the proxy that was not reached. */
const OF_DIALLING: readonly Failure[] = ['refused', 'dns', 'unreachable'];

interface NodeError extends Error {
  /** Node's `ERR_PROXY_TUNNEL`: what the proxy answered to `CONNECT`; none where it hung up, NaN where it spoke no HTTP. */
  readonly statusCode?: number;
  readonly code?: string;
}

const readTunnel = (status: number | undefined): { readonly failure: Failure; readonly code: string } => {
  if (status === undefined) return { failure: 'reset', code: 'ECONNRESET' };
  if (Number.isNaN(status)) return { failure: 'proxy', code: 'ERR_PROXY_TUNNEL' };
  return { failure: status >= 500 ? 'unreachable' : 'proxy', code: `HTTP${status}` };
};

/** `code` is Node's, or `HTTP407` of a proxy. */
export const readError = (
  { code = '', name, statusCode }: NodeError,
  hasProxy: boolean,
): { readonly failure: Failure; readonly code: string } => {
  if (code === 'ERR_PROXY_TUNNEL') return readTunnel(statusCode);
  const failure = failureOf(code);
  return { failure: hasProxy && OF_DIALLING.includes(failure) ? 'proxy' : failure, code: code || name };
};
