/** Another address of Segura: a gateway on loopback that hands on what it is asked, but for what it refuses. */
import type { IncomingHttpHeaders } from 'node:http';
import type { WireAnswer } from '../../infra/local/kong.ts';
import { listenOnLoopback, readText } from '../../infra/local/loopback.ts';

export const startDoorway = async (segura: { readonly url: string }) => {
  const settings = { refuses: undefined as ((headers: IncomingHttpHeaders) => WireAnswer | undefined) | undefined };
  let isOpen = true;
  const { url, close: closeServer } = await listenOnLoopback(async (request, response) => {
    const body = await readText(request);
    const refused = settings.refuses?.(request.headers);
    if (refused) {
      response.writeHead(refused.status, { ...refused.headers }).end(refused.body);
      return;
    }
    const { authorization = '', 'content-type': type = '' } = request.headers;
    const answer = await fetch(`${segura.url}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { authorization, 'content-type': type },
      body,
    });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(await answer.text());
  });
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await closeServer();
  };
  return {
    url,
    settings,
    /** Connections are refused from now on. */
    close,
    [Symbol.asyncDispose]: close,
  };
};

export type Doorway = Awaited<ReturnType<typeof startDoorway>>;
