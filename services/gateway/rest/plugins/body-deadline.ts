import type { FastifyInstance, FastifyRequest } from 'fastify';
import { refuseBrokenHttp } from '../../problems/problems.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route takes files, which may take longer to arrive than other bodies. */
    takesFiles?: boolean;
  }
}

/** How long nothing may move on the connection of an upload. */
const fileIdleMs = 300_000;

/** Refuses a request whose body does not arrive within `ms` milliseconds. The server's own limit is for uploads. `idleMs` is what it allows other connections without traffic. */
export function limitBodyTime(app: FastifyInstance, { ms, idleMs }: { ms: number; idleMs: number }): void {
  const timers = new WeakMap<FastifyRequest, NodeJS.Timeout>();

  app.addHook('onRequest', async (request) => {
    const { raw, headers, routeOptions } = request;
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    if (!hasBody || request.is404) return;
    if (routeOptions.config.takesFiles) {
      // Uploads wait for each other, and the sender of a whole file for its answer.
      raw.socket.setTimeout?.(fileIdleMs);
      return;
    }
    const late = Object.assign(new Error('the body is late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    const timer = setTimeout(() => refuseBrokenHttp(late, raw.socket), ms);
    timers.set(request, timer);
    raw.once('end', () => clearTimeout(timer));
    raw.once('close', () => clearTimeout(timer));
  });
  app.addHook('onResponse', async (request) => {
    clearTimeout(timers.get(request));
    if (request.routeOptions.config.takesFiles) request.raw.socket.setTimeout?.(idleMs);
  });
}
