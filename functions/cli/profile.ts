/**
 * The files of profiles that the AWS CLI and the SDK share, as far as the SDK does not tell us itself: which profiles there
 * are, so that a misspelt one can be said as that, and which endpoint a profile gives a service. (AWS SDKs and Tools
 * Reference Guide, "Shared config and credentials files" and "Service-specific endpoints", read 2026-11.)
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

type Settings = ReadonlyMap<string, string>;

export interface Profiles {
  readonly names: readonly string[];
  readonly endpointOf: (profile: string, service: string) => string | undefined;
}

interface Section {
  readonly name: string;
  readonly settings: Map<string, string>;
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // a file that is not there names no profile
  }
};

/** `[default]`, `[profile ana]`, `[services local]`; nested settings as `sqs.endpoint_url`. */
const parseSections = (text: string): Section[] => {
  const sections: Section[] = [];
  let parent = '';
  for (const line of text.split(/\r?\n/)) {
    const bare = line.trim();
    if (bare === '' || bare.startsWith('#') || bare.startsWith(';')) continue;
    if (bare.startsWith('[')) {
      const end = bare.indexOf(']');
      sections.push({ name: bare.slice(1, end < 0 ? undefined : end).trim(), settings: new Map() });
      parent = '';
      continue;
    }
    const equals = bare.indexOf('=');
    if (equals < 0) continue;
    const key = bare.slice(0, equals).trim().toLowerCase();
    const value = bare.slice(equals + 1).trim();
    const isNested = parent !== '' && /^\s/.test(line);
    if (!isNested) parent = value === '' ? key : '';
    sections.at(-1)?.settings.set(isNested ? `${parent}.${key}` : key, value);
  }
  return sections;
};

/** `profile "ana"` of the configuration is `ana` of the credentials. */
const plain = (name: string, kind: string): string | undefined => {
  const [word = '', ...rest] = name.split(/\s+/);
  if (word !== kind || rest.length === 0) return undefined;
  return rest.join(' ').replace(/^["'](.*)["']$/, '$1');
};

export const readProfiles = (env: Readonly<Record<string, string | undefined>> = process.env): Profiles => {
  const folder = join(env['HOME'] ?? homedir(), '.aws');
  const config = parseSections(read(env['AWS_CONFIG_FILE'] || join(folder, 'config')));
  const credentials = parseSections(read(env['AWS_SHARED_CREDENTIALS_FILE'] || join(folder, 'credentials')));
  const profiles = new Map<string, Settings>();
  const services = new Map<string, Settings>();
  for (const { name, settings } of config) {
    const profile = name === 'default' ? name : plain(name, 'profile');
    if (profile !== undefined) profiles.set(profile, settings);
    const service = plain(name, 'services');
    if (service !== undefined) services.set(service, settings);
  }
  for (const { name } of credentials) if (!profiles.has(name)) profiles.set(name, new Map());
  return {
    names: [...profiles.keys()],
    endpointOf: (profile, service) => {
      const settings = profiles.get(profile);
      if (settings?.get('ignore_configured_endpoint_urls') === 'true') return undefined;
      const own = services.get(settings?.get('services') ?? '')?.get(`${service}.endpoint_url`);
      return own ?? settings?.get('endpoint_url');
    },
  };
};
