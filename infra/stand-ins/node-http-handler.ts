/** In the place of the SDK's own HTTP client: each client is given ours (functions/http/request-handler.ts). */
export const NodeHttpHandler = {
  /** Called by each client with the request handler that it was given. */
  create: <Handler>(handler: Handler): Handler => handler,
};

/** Answers of ours have been read already. */
export const streamCollector = (body: Uint8Array): Promise<Uint8Array> => Promise.resolve(body);
