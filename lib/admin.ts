import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { withDeadline } from './async/deadline.ts';
import type { Metrics } from './metrics.ts';

/**
 * The dependencies of a service: the name that /readyz shows, and a check that rejects or answers false while the
 * dependency is down.
 */
export type Dependencies = Record<string, () => Promise<boolean> | boolean>;

export type Readiness = {
  ready: boolean;
  dependencies: Record<string, 'up' | 'down'>;
  /** What the operator should know. Missing if there is nothing. */
  warnings?: string[];
};

export type Admin = {
  port: number;
  readiness(): Promise<Readiness>;
  /** From now on /readyz answers 503, even if all dependencies are up. */
  drain(): void;
  close(): Promise<void>;
};

const checkDeadlineMs = 2000;

/** Serves /healthz, /readyz and /metrics on a service's admin port. A dependency check fails after 2 s. */
export async function serveAdmin(options: {
  host: string;
  port: number;
  metrics: Metrics;
  dependencies: Dependencies;
  /** Dependencies that /readyz shows, but without which the service is ready all the same. */
  optional?: Dependencies;
  /** Sentences that /readyz shows. While they cannot be told, it shows none. */
  warnings?: () => Promise<string[]>;
}): Promise<Admin> {
  let draining = false;
  const readiness = async (): Promise<Readiness> => {
    const warned = withDeadline(options.warnings?.() ?? Promise.resolve([]), checkDeadlineMs, () => []);
    const checked = await Promise.all(
      Object.entries({ ...options.dependencies, ...options.optional }).map(
        async ([name, check]) => [name, (await isUp(check)) ? 'up' : 'down'] as const,
      ),
    );
    const warnings = await warned.catch((): string[] => []);
    return {
      ...(warnings.length > 0 ? { warnings } : {}),
      ready: !draining && checked.every(([name, state]) => state === 'up' || !(name in options.dependencies)),
      dependencies: Object.fromEntries(checked),
    };
  };

  const server = createServer(async (request, response) => {
    const send = (status: number, type: string, body: string) =>
      response.writeHead(status, { 'content-type': type }).end(body);
    const path = request.url?.split('?')[0];
    if (path === '/healthz') return send(200, 'application/json', '{"status":"ok"}');
    if (path === '/readyz') {
      const state = await readiness();
      return send(state.ready ? 200 : 503, 'application/json', JSON.stringify(state));
    }
    if (path === '/metrics') {
      return send(200, options.metrics.registry.contentType, await options.metrics.registry.metrics());
    }
    return send(404, 'text/plain', 'This port serves /healthz, /readyz and /metrics.\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    readiness,
    drain: () => {
      draining = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function isUp(check: () => Promise<boolean> | boolean): Promise<boolean> {
  try {
    return await withDeadline(Promise.resolve(check()), checkDeadlineMs, () => false);
  } catch {
    return false;
  }
}
