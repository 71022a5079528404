import type { Metadata, Server } from '@grpc/grpc-js';
import type { Logger } from '../log.ts';
import { tokenRefusal } from './service-error.ts';
import { type GrpcToken, hasToken } from './token.ts';

type Call = { metadata: Metadata; emit(event: 'error', error: unknown): boolean };
// biome-ignore lint/suspicious/noExplicitAny: a wrapped handler has the types of its method, which differ by method.
type Handler = (call: any, reply: any) => unknown;

const logEveryMs = 60_000;

/** Adds services to a server. Their methods refuse calls without the token. */
export function createGuard(
  server: Server,
  token: GrpcToken | undefined,
  log: Logger,
): Pick<Server, 'addService'> {
  let refused = 0;
  let loggedAt = 0;

  function refuse(reply: (error: unknown) => void): void {
    refused += 1;
    if (Date.now() - loggedAt > logEveryMs) {
      log.warn({ calls: refused }, 'refused calls without the right token');
      loggedAt = Date.now();
      refused = 0;
    }
    reply(tokenRefusal());
  }

  return {
    addService(definition, implementation) {
      if (!token) return server.addService(definition, implementation);
      const guarded = Object.entries(implementation).map(([name, handler]): [string, Handler] => [
        name,
        (call: Call, reply) =>
          hasToken(call.metadata, token)
            ? (handler as Handler)(call, reply)
            : // A method that answers a stream has no reply function.
              refuse(reply ?? ((error) => call.emit('error', error))),
      ]);
      server.addService(definition, Object.fromEntries(guarded));
    },
  };
}
