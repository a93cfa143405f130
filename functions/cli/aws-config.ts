/**
 * How the command line reaches AWS: as the AWS CLI does, from options, variables and profiles. One precedence for every
 * endpoint: `--endpoint-url`, `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, the profile's `services`, its `endpoint_url`.
 */
import { SQSClient } from '@aws-sdk/client-sqs';
import { SILENT } from '../aws/clients.ts';
import { readProxy } from '../http/proxy.ts';
import { createRequestHandler } from '../http/request-handler.ts';
import { createSend } from '../http/send.ts';
import { isHttpUrl } from '../http/url.ts';
import type { OptionsOf, WHERE } from './command.ts';
import { readProfiles } from './profile.ts';
import { askText, hasPerson } from './terminal/ask.ts';
import { CommandError } from './terminal/ending.ts';
import { UsageError, VariableError } from './terminal/usage.ts';

type AwsOptions = OptionsOf<Pick<typeof WHERE, 'region' | 'profile' | 'endpointUrl'>>;

/** More than any command has under way. */
const MAX_SOCKETS = 50;

const profileOf = ({ profile }: AwsOptions): string => profile ?? (process.env['AWS_PROFILE'] || 'default');

/** As the AWS CLI asks; its code is good once, so it is asked for once a command. */
const askMfaCode = async (serial: string): Promise<string> => {
  if (!hasPerson()) {
    throw new CommandError(
      'MfaCodeNeeded',
      `the profile needs a code of ${serial}, and nobody is at a terminal to give it`,
      'run it on a terminal, or log in first and export the credentials: aws configure export-credentials',
    );
  }
  const code = await askText(`MFA code for ${serial}`);
  if (code === undefined) throw new DOMException('interrupted', 'AbortError');
  return code.trim();
};

type Credentials = SQSClient['config']['credentials'];

/** A command is given its options once, and all its clients share what they were worth: one code, one login. */
const shared = new WeakMap<object, Credentials>();

const shareCredentials = (options: AwsOptions, config: object): Credentials => {
  const known = shared.get(options);
  if (known) return known;
  // The default provider chain reads this from the configuration of its client, which it is handed whole.
  const { credentials } = new SQSClient({ ...config, ...{ mfaCodeProvider: askMfaCode } }).config;
  shared.set(options, credentials);
  return credentials;
};

/** Keys in the environment go before `AWS_PROFILE`, and after `--profile`. */
const variableCredentials = ({ profile }: AwsOptions) => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
  if (profile || !AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return undefined;
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
  };
};

/**
 * What the AWS SDK's clients take; the ordinary configuration (profiles, SSO, variables) holds for the rest. The AWS CLI
 * also knows `AWS_DEFAULT_REGION`, the SDK does not.
 * @param fallbackRegion where neither option nor variable names one, and no profile was asked for
 */
export const awsConfig = (options: AwsOptions, fallbackRegion?: string) => {
  const { profile, endpointUrl } = options;
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  const region = options.region || AWS_REGION || AWS_DEFAULT_REGION || (profile ? undefined : fallbackRegion);
  const config = {
    ...(region ? { region } : {}),
    ...(profile ? { profile } : {}),
    ...(endpointUrl ? { endpoint: endpointUrl } : {}),
    logger: SILENT,
    requestHandler: createRequestHandler(createSend({ maxSockets: MAX_SOCKETS, proxy: readProxy(process.env) })),
  };
  return { ...config, credentials: variableCredentials(options) ?? shareCredentials(options, config) };
};

const isTrue = (value: string | undefined): boolean => value?.toLowerCase() === 'true';

/** The SDK would take a queue's host before a configured endpoint, so for SQS it has to be said outright. */
export const sqsEndpoint = (options: AwsOptions): string | undefined => {
  if (options.endpointUrl) return options.endpointUrl;
  const { AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS } = process.env;
  if (isTrue(AWS_IGNORE_CONFIGURED_ENDPOINT_URLS)) return undefined;
  return AWS_ENDPOINT_URL_SQS || AWS_ENDPOINT_URL || readProfiles().endpointOf(profileOf(options), 'sqs');
};

/** As a profile names them; in the names of variables in capitals. */
const SERVICES = ['sqs', 'secrets_manager', 'cloudformation', 'cloudwatch_logs', 'lambda', 'sts'] as const;

const ENDPOINT_VARIABLES = [
  'AWS_ENDPOINT_URL',
  ...SERVICES.map((service) => `AWS_ENDPOINT_URL_${service.toUpperCase()}`),
];

const MAX_NAMES = 10;

const nameThem = (names: readonly string[]): string =>
  names.length === 0
    ? 'name a profile of ~/.aws/config or ~/.aws/credentials; they have none'
    : `name one of ${names.slice(0, MAX_NAMES).join(', ')}${names.length > MAX_NAMES ? ', …' : ''}`;

/** A part of host names, such as eu-west-1. */
const REGION = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i;

/** @throws UsageError, VariableError */
const checkRegion = ({ region }: AwsOptions): void => {
  const fault = (name: string) => `${name} is no AWS region such as eu-west-1`;
  if (region !== undefined && !REGION.test(region)) throw new UsageError(fault('--region'));
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) {
    const value = process.env[name];
    if (value && !REGION.test(value)) throw new VariableError(fault(name));
  }
};

/** Before the SDK meets it: that one only says "Invalid URL", or that there are no credentials. @throws UsageError */
export const checkAwsConfig = (options: AwsOptions): void => {
  checkRegion(options);
  const fault = (name: string) => `${name} is not a URL such as http://127.0.0.1:4566`;
  if (options.endpointUrl !== undefined && !isHttpUrl(options.endpointUrl))
    throw new UsageError(fault('--endpoint-url'));
  for (const name of ENDPOINT_VARIABLES) {
    const url = process.env[name];
    if (url && !isHttpUrl(url)) throw new VariableError(fault(name));
  }
  const profile = profileOf(options);
  const { names, endpointOf } = readProfiles();
  for (const service of SERVICES) {
    const url = endpointOf(profile, service);
    if (url && !isHttpUrl(url))
      throw new VariableError(fault(`endpoint_url of the profile ${profile}, for ${service},`));
  }
  const isNeeded = options.profile !== undefined || Boolean(process.env['AWS_PROFILE']);
  if (!isNeeded || names.includes(profile)) return;
  const Fault = options.profile === undefined ? VariableError : UsageError;
  const name = options.profile === undefined ? 'AWS_PROFILE' : '--profile';
  throw new Fault(`${name} names ${profile}, and there is no such profile`, { fix: nameThem(names) });
};
