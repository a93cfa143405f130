/** The secret: what it must hold, checked with a message that names every fault and shows no value. */
import { isLoopback } from '../http/send.ts';

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

/** The secret cannot be used; the message says which keys to mend and holds no value of theirs. */
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

const parseJson = (text: string): Json => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, and that is the secret.
    throw new SecretError(['it is not JSON']);
  }
  if (!isObject(value)) throw new SecretError(['it is not a JSON object']);
  return value;
};

/** Reads one key after the other and gathers what is wrong with each. */
const createReader = (json: Json) => {
  const faults: string[] = [];

  const text = (key: string): string | undefined => {
    const value = json[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' && value.trim() !== '') return value;
    faults.push(`${key} must be a non-empty string`);
    return undefined;
  };

  const required = (key: string): string => {
    if (json[key] === undefined || json[key] === null) faults.push(`${key} is missing`);
    return text(key) ?? '';
  };

  const url = (key: string): URL => {
    const value = required(key).trim();
    if (value === '') return new URL('https://invalid');
    if (!URL.canParse(value)) {
      faults.push(`${key} is not a URL such as https://segura.example.com`);
      return new URL('https://invalid');
    }
    const parsed = new URL(value);
    if (parsed.protocol !== 'https:' && !(parsed.protocol === 'http:' && isLoopback(parsed.hostname))) {
      faults.push(`${key} must be https (plain http is accepted for loopback hosts alone)`);
    }
    if (parsed.username || parsed.password) faults.push(`${key} must not carry a user name or password`);
    if (parsed.hash) faults.push(`${key} must not carry a fragment (#…)`);
    return parsed;
  };

  /** Consoles and shells often leave `\n` as two characters. */
  const pem = (key: string, label: RegExp): string | undefined => {
    const value = text(key)?.replaceAll('\\n', '\n');
    if (value === undefined) return undefined;
    if (!label.test(value)) {
      faults.push(`${key} is not PEM`);
      return undefined;
    }
    return value;
  };

  const certificate = (key: string): string | undefined => {
    const value = pem(key, /-----BEGIN CERTIFICATE-----/);
    try {
      if (value !== undefined) new (process.getBuiltinModule('node:crypto').X509Certificate)(value);
      return value;
    } catch {
      faults.push(`${key} is a PEM block, but no certificate`);
      return undefined;
    }
  };

  /** One pair: a mismatch would fail each call instead. */
  const keyPair = (certificateKey: string, keyKey: string): { certificate?: string; key?: string } => {
    const crypto = process.getBuiltinModule('node:crypto');
    const certificatePem = certificate(certificateKey);
    const keyPem = pem(keyKey, /-----BEGIN [A-Z ]*PRIVATE KEY-----/);
    if ((json[certificateKey] == null) !== (json[keyKey] == null)) {
      faults.push(`${certificateKey} and ${keyKey} belong together: give both or none`);
    }
    if (certificatePem === undefined || keyPem === undefined) return {};
    try {
      const isPair = new crypto.X509Certificate(certificatePem).checkPrivateKey(crypto.createPrivateKey(keyPem));
      if (!isPair) faults.push(`${keyKey} is not the key of ${certificateKey}`);
    } catch {
      faults.push(`${keyKey} is not a readable private key (it must not be encrypted)`);
    }
    return { certificate: certificatePem, key: keyPem };
  };

  const choice = <Value extends string>(key: string, values: readonly [Value, ...Value[]]): Value => {
    const value = text(key) ?? values[0];
    const found = values.find((each) => each === value);
    if (found === undefined) faults.push(`${key} must be ${values.join(' or ')}`);
    return found ?? values[0];
  };

  const parameters = (key: string): Readonly<Record<string, string>> => {
    const value = json[key] ?? {};
    if (!isObject(value) || Object.values(value).some((each) => typeof each !== 'string')) {
      faults.push(`${key} must be an object of strings, such as {"tenant": "acme"}`);
      return {};
    }
    const reserved = RESERVED_PARAMETERS.filter((name) => name in value);
    if (reserved.length > 0) faults.push(`${key} must not set ${reserved.join(', ')}`);
    return value as Record<string, string>;
  };

  return { faults, text, required, url, certificate, keyPair, choice, parameters };
};

/** @throws SecretError that lists all faults together. */
export const parseSecret = (source: string): Secret => {
  const read = createReader(parseJson(source));
  const url = read.url('url');
  if (url.search) read.faults.push('url must not carry a query (?…)');
  const accessTokenUrl = read.url('accessTokenUrl');
  const clientId = read.required('clientId');
  const clientSecret = hide(read.required('clientSecret'));
  const tokenAuthMethod = read.choice('tokenAuthMethod', ['client_secret_post', 'client_secret_basic']);
  const tokenParameters = read.parameters('tokenParameters');
  const referer = read.text('referer');
  if (referer && /[^\x20-\x7e]/.test(referer)) read.faults.push('referer must be printable ASCII');
  const caCertificate = read.certificate('caCertificate');
  const client = read.keyPair('clientCertificate', 'clientKey');
  if (read.faults.length > 0) throw new SecretError(read.faults);
  url.pathname = url.pathname.replace(/\/+$/, '');
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
