import type { FastifyInstance } from 'fastify';
import type { Hosts } from '../../door/hosts.ts';

/** Answers 421 to requests for other hosts; whoever watches over the process may ask it by any name. */
export function answerOwnHosts(app: FastifyInstance, hosts: Hosts): void {
  app.addHook('onRequest', async (request) => {
    if (!request.routeOptions.config?.probe) hosts.check(request.headers.host);
  });
}
