/** One order to the server; what it refuses is told in its own words. */

export type Told =
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string };

export const order = async (path: string, body: unknown = {}): Promise<Told> => {
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const value = (await response.json()) as { readonly error?: { readonly code?: string; readonly message?: string } };
    if (response.ok) return { kind: 'done', value };
    const { code = `HTTP${response.status}`, message = `status ${response.status}` } = value.error ?? {};
    return { kind: 'failed', code, detail: message };
  } catch {
    return {
      kind: 'failed',
      code: 'NoAnswer',
      detail: 'the local world does not answer: is npm start -- --watch still running?',
    };
  }
};
