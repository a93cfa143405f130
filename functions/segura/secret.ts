/** The secret: what it must hold, checked with a message that names every fault and shows no value. */
import { isLoopback } from '../http/send.ts';
import { readPem } from './pem.ts';

/** A value that prints as `[secret]` wherever it is logged, and opens by name alone. */
export interface Hidden {
  readonly reveal: () => string;
}

export const hide = (value: string): Hidden => {
  const print = () => '[secret]';
  return Object.defineProperties(
    { reveal: () => value },
    {
      toString: { value: print },
      toJSON: { value: print },
      [Symbol.for('nodejs.util.inspect.custom')]: { value: print },
    },
  );
};

export interface Secret {
  /** Base URL of the Segura server, without a slash at its end. */
  readonly url: URL;
  readonly accessTokenUrl: URL;
  readonly clientId: string;
  readonly clientSecret: Hidden;
  readonly tokenAuthMethod: 'client_secret_post' | 'client_secret_basic';
  readonly tokenParameters: Readonly<Record<string, string>>;
  readonly referer?: string;
  /** PEM. */
  readonly caCertificate?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: Hidden;
}

/** The secret cannot be used; the message says which keys to fix and holds no value of theirs. */
export class SecretError extends Error {
  readonly code = 'SECRET_MALFORMED';
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(`the secret is not usable: ${faults.join('; ')}`);
    this.name = 'SecretError';
    this.faults = faults;
  }
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const RESERVED_PARAMETERS = ['grant_type', 'client_id', 'client_secret'];

/** No address of a server is longer; what is pasted by mistake may be. */
const MAX_URL_CHARACTERS = 2048;

const tryJson = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined; // the parser's own message quotes the text, and that is the secret
  }
};

const parseJson = (source: string): Json => {
  const text = source.startsWith('\ufeff') ? source.slice(1) : source;
  // A console lets people paste PEM with its line ends into a JSON string, where none may stand.
  const parsed = tryJson(text) ?? tryJson(text.replace(/[\r\n\t]+/g, ' '));
  if (parsed === undefined) throw new SecretError(['it is not JSON']);
  if (!isObject(parsed.value)) throw new SecretError(['it is not a JSON object']);
  return parsed.value;
};

/** What consoles make of a field that was left empty. */
const isAbsent = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'string' && value.trim() === '');

/** Reads one key after the other and gathers what is wrong with each. */
const createReader = (json: Json) => {
  const faults: string[] = [];

  const text = (key: string): string | undefined => {
    const value = json[key];
    if (isAbsent(value)) return undefined;
    if (typeof value === 'string') return value.trim();
    faults.push(`${key} must be a non-empty string`);
    return undefined;
  };

  const required = (key: string): string => {
    const value = json[key];
    if (isAbsent(value))
      faults.push(`${key} ${typeof value === 'string' ? 'must be a non-empty string' : 'is missing'}`);
    return text(key) ?? '';
  };

  const choice = <Value extends string>(key: string, values: readonly [Value, ...Value[]]): Value => {
    const value = text(key) ?? values[0];
    const found = values.find((each) => each === value);
    if (found === undefined) faults.push(`${key} must be ${values.join(' or ')}`);
    return found ?? values[0];
  };

  const parameters = (key: string): Readonly<Record<string, string>> => {
    if (isAbsent(json[key])) return {};
    const given = isObject(json[key]) ? Object.entries(json[key]).filter(([, value]) => !isAbsent(value)) : undefined;
    if (given === undefined || given.some(([, value]) => typeof value !== 'string')) {
      faults.push(`${key} must be an object of strings, such as {"tenant": "acme"}`);
      return {};
    }
    const reserved = RESERVED_PARAMETERS.filter((name) => given.some(([each]) => each === name));
    if (reserved.length > 0) faults.push(`${key} must not set ${reserved.join(', ')}`);
    return Object.fromEntries(given.map(([name, value]) => [name, String(value).trim()]));
  };

  return { faults, text, required, choice, parameters };
};
type Reader = ReturnType<typeof createReader>;

const INVALID_URL = 'https://invalid';

const urlFaults = (url: URL): string[] => [
  ...(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
    ? []
    : ['must be https (plain http is accepted for loopback hosts alone)']),
  ...(url.username || url.password ? ['must not carry a user name or password'] : []),
  ...(url.hash ? ['must not carry a fragment (#…)'] : []),
];

const readUrl = ({ required, faults }: Reader, key: string): URL => {
  const value = required(key);
  if (value === '') return new URL(INVALID_URL);
  if (value.length > MAX_URL_CHARACTERS || !URL.canParse(value)) {
    faults.push(`${key} is not a URL such as https://segura.example.com`);
    return new URL(INVALID_URL);
  }
  const url = new URL(value);
  faults.push(...urlFaults(url).map((fault) => `${key} ${fault}`));
  return url;
};

/** The base URL ends without a slash, or client.ts would double it. */
const withoutSlashes = (path: string): string => {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end -= 1;
  return path.slice(0, end);
};

/** Each block of a chain or bundle: Node reads the first one alone. */
const readCertificates = ({ text, faults }: Reader, key: string): string | undefined => {
  const value = text(key);
  if (value === undefined) return undefined;
  const blocks = readPem(value)?.filter(({ label }) => label.endsWith('CERTIFICATE'));
  if (blocks === undefined || blocks.length === 0) {
    faults.push(
      `${key} is not PEM: it must hold -----BEGIN CERTIFICATE-----, its lines, and -----END CERTIFICATE-----`,
    );
    return undefined;
  }
  const { X509Certificate } = process.getBuiltinModule('node:crypto');
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block.text);
    } catch {
      const which = blocks.length > 1 ? `block ${index + 1} of ${key}` : key;
      faults.push(`${which} is a PEM block, but no certificate`);
      return undefined;
    }
  }
  return blocks.map((block) => `${block.text}\n`).join('');
};

const readKey = ({ text, faults }: Reader, key: string): string | undefined => {
  const value = text(key);
  if (value === undefined) return undefined;
  const block = readPem(value)?.find(({ label }) => label.endsWith('PRIVATE KEY'));
  const isEncrypted = block?.label.startsWith('ENCRYPTED') || value.includes('Proc-Type');
  if (block && !isEncrypted) return `${block.text}\n`;
  faults.push(
    isEncrypted
      ? `${key} is encrypted: give it without a passphrase`
      : `${key} is not PEM: it must hold -----BEGIN PRIVATE KEY-----, its lines, and -----END PRIVATE KEY-----`,
  );
  return undefined;
};

/** As TLS will use them: what OpenSSL refuses only when it connects would otherwise fail each call. */
const pairFault = (certificate: string, key: string): string | undefined => {
  const { X509Certificate, createPrivateKey } = process.getBuiltinModule('node:crypto');
  try {
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
      return 'clientKey is not the key of clientCertificate';
    }
  } catch {
    return 'clientKey is not a readable private key';
  }
  try {
    process.getBuiltinModule('node:tls').createSecureContext({ cert: certificate, key });
    return undefined;
  } catch (error) {
    // A constant of OpenSSL, such as ERR_SSL_EE_KEY_TOO_SMALL.
    const { code = 'refused' } = error as NodeJS.ErrnoException;
    return `clientCertificate and clientKey cannot be used for TLS (${code}): have new ones issued, with a key of at least 2048 bits and a whole chain`;
  }
};

/** One pair: half of it, or a mismatch, would fail each call instead. */
const readPair = (reader: Reader, json: Json): { readonly certificate?: string; readonly key?: string } => {
  const certificate = readCertificates(reader, 'clientCertificate');
  const key = readKey(reader, 'clientKey');
  if (isAbsent(json['clientCertificate']) !== isAbsent(json['clientKey'])) {
    reader.faults.push('clientCertificate and clientKey belong together: give both or none');
  }
  if (certificate === undefined || key === undefined) return {};
  const fault = pairFault(certificate, key);
  if (fault !== undefined) reader.faults.push(fault);
  return { certificate, key };
};

/** @throws SecretError that lists all faults together. */
export const parseSecret = (source: string): Secret => {
  const json = parseJson(source);
  const reader = createReader(json);
  const url = readUrl(reader, 'url');
  if (url.search) reader.faults.push('url must not carry a query (?…)');
  const accessTokenUrl = readUrl(reader, 'accessTokenUrl');
  const clientId = reader.required('clientId');
  const clientSecret = hide(reader.required('clientSecret'));
  const tokenAuthMethod = reader.choice('tokenAuthMethod', ['client_secret_post', 'client_secret_basic']);
  const tokenParameters = reader.parameters('tokenParameters');
  const referer = reader.text('referer');
  if (referer && /[^\x20-\x7e]/.test(referer)) reader.faults.push('referer must be printable ASCII');
  const caCertificate = readCertificates(reader, 'caCertificate');
  const client = readPair(reader, json);
  if (reader.faults.length > 0) throw new SecretError(reader.faults);
  url.pathname = withoutSlashes(url.pathname);
  return {
    url,
    accessTokenUrl,
    clientId,
    clientSecret,
    tokenAuthMethod,
    tokenParameters,
    ...(referer ? { referer } : {}),
    ...(caCertificate ? { caCertificate } : {}),
    ...(client.certificate ? { clientCertificate: client.certificate } : {}),
    ...(client.key ? { clientKey: hide(client.key) } : {}),
  };
};
