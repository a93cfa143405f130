/**
 * The region of a deployment, by the AWS CLI's own rule: --region, AWS_REGION, AWS_DEFAULT_REGION, the profile's. osls knows
 * no profile's region, and would take one of its own where there is none.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

type Variables = Readonly<Record<string, string | undefined>>;

export const REGION_IS_MISSING =
  'the region is missing: give --region, or set AWS_REGION, AWS_DEFAULT_REGION or the region of your AWS profile';

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // whoever has no such file has no region in it
  }
};

/** In the config file a profile's section is `[profile name]`, but for the default's; in the credentials file `[name]`. */
const regionIn = (text: string, profile: string): string | undefined => {
  let isOurs = false;
  for (const line of text.split(/\r?\n/)) {
    const [, section] = /^\s*\[\s*(?:profile\s+)?["']?([^\]"']+?)["']?\s*\]/.exec(line) ?? [];
    if (section !== undefined) isOurs = section === profile;
    const [, region] = /^region\s*=\s*(\S+)/.exec(line) ?? [];
    if (isOurs && region !== undefined) return region;
  }
  return undefined;
};

/** @param profile as `--aws-profile` gives it */
const regionOfProfile = (profile: string | undefined, variables: Variables): string | undefined => {
  const name = profile ?? variables['AWS_PROFILE'] ?? variables['AWS_DEFAULT_PROFILE'] ?? 'default';
  const folder = join(variables['HOME'] ?? homedir(), '.aws');
  const files = [
    variables['AWS_CONFIG_FILE'] ?? join(folder, 'config'),
    variables['AWS_SHARED_CREDENTIALS_FILE'] ?? join(folder, 'credentials'),
  ];
  return files.map((file) => regionIn(read(file), name)).find((region) => region !== undefined);
};

interface Options {
  readonly region?: string;
  readonly 'aws-profile'?: string;
}

/** The whole rule. `undefined`: it is missing. */
export const findRegion = (options: Options, variables: Variables = process.env): string | undefined =>
  options.region ||
  variables['AWS_REGION'] ||
  variables['AWS_DEFAULT_REGION'] ||
  regionOfProfile(options['aws-profile'], variables);
