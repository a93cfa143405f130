/** Writes the answer to one request, or what a fault makes of it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Fault, fixture } from './faults.ts';
import { type KongVersion, kongAnswer, type WireAnswer } from './kong.ts';
import type { JournalEntry } from './segura-journal.ts';

/** A request under way. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly entry: JournalEntry;
}

export const createWire = (kong: KongVersion) => {
  const held = new Set<ServerResponse>();

  const write = ({ response, entry }: Exchange, { status, headers, body }: WireAnswer): void => {
    entry.status = status;
    entry.durationMs = Date.now() - entry.at;
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
  };

  const writeKong = (exchange: Exchange, status: number, changes: Parameters<typeof kongAnswer>[3] = {}): void =>
    write(exchange, kongAnswer(status, exchange.request.headers.accept ?? '', kong, changes));

  return {
    write,
    writeKong,
    /** @param ordinary carries out what was asked for, and says how that is answered */
    act: async (fault: Fault, ordinary: () => WireAnswer, exchange: Exchange): Promise<void> => {
      const { request, response } = exchange;
      switch (fault.kind) {
        case 'none':
          return write(exchange, ordinary());
        case 'slow':
          await new Promise((resolve) => setTimeout(resolve, fault.ms));
          return write(exchange, ordinary());
        case 'kong':
          return writeKong(exchange, fault.status, fault);
        case 'fixture':
          return write(exchange, fixture(fault.name));
        case 'answer':
          return write(exchange, fault);
        case 'lost-answer':
          ordinary();
          return writeKong(exchange, 504);
        case 'hang':
          held.add(response);
          return;
        case 'reset':
          request.socket.resetAndDestroy();
          return;
        case 'cut': {
          const { status, headers, body } = ordinary();
          response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
          response.write(body.slice(0, 20), () => request.socket.destroy());
        }
      }
    },
    /** What hangs ends with a closed connection. */
    letGo: (): void => {
      for (const response of held) response.destroy();
    },
  };
};
