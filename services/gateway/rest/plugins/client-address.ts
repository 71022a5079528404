import type { FastifyInstance } from 'fastify';
import type { ClientAddress } from '../../door/client-address.ts';

/** Sets `request.ip` to the client's address. Fastify's own trustProxy also accepts entries that are not addresses. */
export function setClientAddress(app: FastifyInstance, clientAddress: ClientAddress): void {
  app.addHook('onRequest', async (request) => {
    Object.defineProperty(request, 'ip', { value: clientAddress(request.raw) });
  });
}
