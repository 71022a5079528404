import type { FastifyInstance } from 'fastify';
import type { Hosts } from '../../door/hosts.ts';

/** Answers 421 to requests for other hosts. Probes are answered for any host name. */
export function answerOwnHosts(app: FastifyInstance, hosts: Hosts): void {
  app.addHook('onRequest', async (request) => {
    if (!request.routeOptions.config?.probe) hosts.check(request.headers.host);
  });
}
