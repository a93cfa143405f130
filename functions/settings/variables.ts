/** Reads environment variables one after the other and gathers every fault, so that all are named together. */
import { type ProxySettings, proxyFault, readProxy } from '../http/proxy.ts';
import { isHttpUrl } from '../http/url.ts';

/** What holds where a variable is not set; README and template are compared with it by a test. */
export const DEFAULTS = {
  SEGURA_TIMEOUT_MS: 30_000,
  SEGURA_CONCURRENCY: 10,
  MAX_REQUEST_AGE_SECONDS: 345_600,
  POWERTOOLS_SERVICE_NAME: 'mysafe-enable',
  POWERTOOLS_LOG_LEVEL: 'INFO',
  POWERTOOLS_METRICS_NAMESPACE: 'mysafe-enable',
} as const;

type NumberName = {
  [Name in keyof typeof DEFAULTS]: (typeof DEFAULTS)[Name] extends number ? Name : never;
}[keyof typeof DEFAULTS];

/** Variables are missing or malformed; the message names each and says what it must be. */
export class EnvironmentError extends Error {
  readonly code = 'ENVIRONMENT_MALFORMED';
  constructor(faults: readonly string[]) {
    super(`The environment is not complete: ${faults.join('; ')}`);
    this.name = 'EnvironmentError';
  }
}

export type Variables = Readonly<Record<string, string | undefined>>;

/** Reads single variables and gathers what is wrong with them in `faults`. */
export const createReader = (variables: Variables, faults: string[]) => {
  // A template often sets a variable to nothing: as good as not set.
  const text = (name: string): string | undefined => variables[name]?.trim() || undefined;

  const required = (name: string, what: string): string => {
    const value = text(name);
    if (value === undefined) faults.push(`${name} is missing: set it to ${what}`);
    return value ?? '';
  };

  return {
    text,
    required,
    fault: (what: string): void => void faults.push(what),
    /** Of the variables that all functions have. */
    telemetry: () => ({
      serviceName: text('POWERTOOLS_SERVICE_NAME') ?? DEFAULTS.POWERTOOLS_SERVICE_NAME,
      logLevel: text('POWERTOOLS_LOG_LEVEL') ?? DEFAULTS.POWERTOOLS_LOG_LEVEL,
    }),
    proxy: (): ProxySettings | undefined => {
      const fault = proxyFault(variables);
      if (fault !== undefined) faults.push(fault);
      return readProxy(variables);
    },
    url: (name: string): string | undefined => {
      const value = text(name);
      if (value === undefined || isHttpUrl(value)) return value;
      faults.push(`${name} is not a URL such as http://127.0.0.1:4566`);
      return undefined;
    },
    /** As the AWS SDK reads it. */
    flag: (name: string): boolean => {
      const value = text(name)?.toLowerCase() ?? 'false';
      if (value !== 'true' && value !== 'false') faults.push(`${name} must be true or false`);
      return value === 'true';
    },
    /** IAM ids with commas between; a template may leave one of them empty. */
    senderIds: (name: string): readonly string[] => {
      const ids = (text(name) ?? '').split(',').flatMap((id) => id.trim() || []);
      if (!ids.every((id) => /^\w{1,128}$/.test(id))) {
        faults.push(
          `${name} must be IAM ids with commas between, such as AROAEXAMPLEEXAMPLE123: of a user AIDA…, of a role AROA… without session, no ARN`,
        );
      }
      return ids;
    },
    /** The variable's default where it is not set. */
    integer: (name: NumberName, least: number, most: number): number => {
      const fallback = DEFAULTS[name];
      const value = text(name);
      if (value === undefined) return fallback;
      const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
      if (number >= least && number <= most) return number;
      faults.push(`${name} must be a whole number from ${least} to ${most}`);
      return fallback;
    },
  };
};

export type Reader = ReturnType<typeof createReader>;
