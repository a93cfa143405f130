/** By which proxy a URL is reached, for people: never with the proxy's password. Node's agents decide it themselves. */

type Variables = Readonly<Record<string, string | undefined>>;

const listed = (entry: string, { hostname, port, protocol }: URL): boolean => {
  if (entry === '*') return true;
  const [, host = entry, entryPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  const ownPort = port || (protocol === 'https:' ? '443' : '80');
  if (entryPort !== undefined && entryPort !== ownPort) return false;
  const suffix = host.replace(/^\*/, '').toLowerCase();
  return suffix.startsWith('.') ? hostname.endsWith(suffix) : hostname === suffix;
};

/** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` in either case; the small letters go first, as Node has it. */
export const proxyFor = (url: URL, variables: Variables = process.env): string | undefined => {
  const read = (name: string) => variables[name.toLowerCase()] || variables[name];
  const proxy = read(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (!proxy || !URL.canParse(proxy)) return undefined;
  const exceptions = (read('NO_PROXY') ?? '').split(/[\s,]+/).filter(Boolean);
  return exceptions.some((entry) => listed(entry, url)) ? undefined : new URL(proxy).host;
};
