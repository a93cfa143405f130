/** A renewal through the function replay-dead-letters: how the command line reaches it. */
import { afterEach, expect, test, vi } from 'vitest';
import { replayByFunction } from '../../functions/cli/dead-letters/renewal.ts';
import { startConnectProxy } from '../loopback/connect-proxy.ts';

afterEach(() => vi.unstubAllEnvs());

test('a renewal goes by the proxy of the environment, as every other call to AWS', async () => {
  // It opens no tunnel, so that nothing leaves this machine.
  using proxy = await startConnectProxy({ refuses: '403 Forbidden' });
  const variables = {
    HTTPS_PROXY: proxy.url,
    NO_PROXY: '',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  };
  for (const [name, value] of Object.entries({ ...variables, https_proxy: '' })) vi.stubEnv(name, value);
  const event = { replayedBy: 'ana', reason: 'approved again', renew: true };
  const parts = { functionName: 'replay-dead-letters', signal: new AbortController().signal, onProgress: () => {} };
  await expect(replayByFunction({ region: 'eu-west-1' }, event, parts)).rejects.toThrow('the proxy cannot be reached');
  expect(proxy.tunnels.map(({ target }) => target)).toEqual(['lambda.eu-west-1.amazonaws.com:443']);
});
