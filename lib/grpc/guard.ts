import type { Metadata, Server } from '@grpc/grpc-js';
import type { Logger } from '../log.ts';
import { strangerError } from './service-error.ts';
import { type GrpcToken, hasToken } from './token.ts';

type Call = { metadata: Metadata };
// biome-ignore lint/suspicious/noExplicitAny: what is wrapped has the types of whichever method it serves.
type Handler = (call: any, reply: any) => unknown;

const logEveryMs = 60_000;

/** Takes services of unary methods onto a server, which then answer to those alone who have the token. */
export function createGuard(
  server: Server,
  token: GrpcToken | undefined,
  log: Logger,
): Pick<Server, 'addService'> {
  let strangers = 0;
  let loggedAt = 0;

  function refuse(reply: (error: unknown) => void): void {
    strangers += 1;
    if (Date.now() - loggedAt > logEveryMs) {
      log.warn({ calls: strangers }, 'calls without the right token are refused');
      loggedAt = Date.now();
      strangers = 0;
    }
    reply(strangerError());
  }

  return {
    addService(definition, implementation) {
      if (!token) return server.addService(definition, implementation);
      const guarded = Object.entries(implementation).map(([name, handler]): [string, Handler] => [
        name,
        (call: Call, reply) =>
          hasToken(call.metadata, token) ? (handler as Handler)(call, reply) : refuse(reply),
      ]);
      server.addService(definition, Object.fromEntries(guarded));
    },
  };
}
