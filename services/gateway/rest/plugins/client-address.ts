import type { FastifyInstance } from 'fastify';
import type { ClientAddress } from '../../door/client-address.ts';

/** Makes `request.ip` the client's address. Fastify's own reading of X-Forwarded-For takes what is no address, too. */
export function knowClientAddress(app: FastifyInstance, clientAddress: ClientAddress): void {
  app.addHook('onRequest', async (request) => {
    Object.defineProperty(request, 'ip', { value: clientAddress(request.raw) });
  });
}
