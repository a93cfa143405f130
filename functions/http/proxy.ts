/** The proxy of the environment: which variables count, and by which proxy a URL is reached. */

type Variables = Readonly<Record<string, string | undefined>>;

/** What Node's agents take as their `proxyEnv`: https alone goes by a proxy, plain http is for loopback hosts. */
export interface ProxySettings {
  readonly https_proxy: string;
  readonly no_proxy: string;
}

/** In either case; the small letters go first, as Node and curl have it. */
const read = (variables: Variables, name: string): string =>
  (variables[name.toLowerCase()] || variables[name] || '').trim();

/** `proxy.example.com:3128`, as curl takes it. */
const withScheme = (text: string): string => (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);

const isProxyUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

/** What is wrong with the variables, without a password that may stand in them; `undefined` where nothing is. */
export const proxyFault = (variables: Variables): string | undefined => {
  const text = read(variables, 'HTTPS_PROXY');
  return text === '' || isProxyUrl(withScheme(text))
    ? undefined
    : 'HTTPS_PROXY is not a URL of a proxy such as http://proxy.example.com:3128';
};

/** @returns nothing where no proxy is set, or none that could be one (see proxyFault) */
export const readProxy = (variables: Variables): ProxySettings | undefined => {
  const text = read(variables, 'HTTPS_PROXY');
  if (text === '' || proxyFault(variables) !== undefined) return undefined;
  return { https_proxy: withScheme(text), no_proxy: read(variables, 'NO_PROXY') };
};

const isListed = (entry: string, { hostname, port }: URL): boolean => {
  if (entry === '*') return true;
  const [, host = entry, entryPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (entryPort !== undefined && entryPort !== (port || '443')) return false;
  const suffix = host.replace(/^\*/, '').toLowerCase();
  return suffix.startsWith('.') ? hostname.endsWith(suffix) : hostname === suffix;
};

/** For people: host and port of the proxy by which a URL is reached, never its password. Node's agents decide by themselves. */
export const proxyFor = (url: URL, variables: Variables = process.env): string | undefined => {
  const proxy = url.protocol === 'https:' ? readProxy(variables) : undefined;
  if (proxy === undefined) return undefined;
  const exceptions = proxy.no_proxy.split(/[\s,]+/).filter(Boolean);
  return exceptions.some((entry) => isListed(entry, url)) ? undefined : new URL(proxy.https_proxy).host;
};
