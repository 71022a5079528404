import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../../../../lib/metrics.ts';

/** Measures how long each request takes, per method, pattern of the route and status. */
export function measureRequests(app: FastifyInstance, metrics: Metrics): void {
  const duration = metrics.latency('gochat_http_request_duration_seconds', 'Time to answer a REST call.', [
    'method',
    'route',
    'status',
  ]);
  app.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    duration.observe(labels, reply.elapsedTime / 1000);
  });
}
