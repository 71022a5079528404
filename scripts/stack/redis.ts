import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../process/program.ts';
import { serverPorts } from '../topology/topology.ts';
import { redisAnswersPing } from './probes.ts';
import { program } from './requirements.ts';
import type { Server, ServerContext } from './server.ts';

/**
 * A private Redis without persistence: it holds caches and presence, which the services restore. Debian's
 * redis-server is a link to redis-check-rdb of redis-tools, one program that behaves according to its name. This code
 * creates the link itself, so that the package redis-server, which starts a service on port 6379, is not needed.
 */
export function createRedis({ profile, supervisor }: ServerContext): Server {
  const folder = join(profile.home, 'redis');
  const command = join(folder, 'redis-server');
  const { redis } = serverPorts(profile);

  const server: Server = {
    name: 'Redis',
    provides: ['redis'],
    ports: [redis],
    requirements: [program('redis-tools', 'redis-server', 'redis-check-rdb')],

    async prepare() {
      mkdirSync(folder, { recursive: true });
      rmSync(command, { force: true });
      symlinkSync(findProgram('redis-server', 'redis-check-rdb') ?? 'redis-server', command);
    },

    start: () =>
      supervisor.start({
        name: 'redis',
        command,
        args: serverOptions(folder, redis.port),
        env: process.env,
        isReady: server.ready,
        readyWithinMs: 15_000,
        stopWithinMs: 10_000,
        startAttempts: 1,
      }),

    ready: () => redisAnswersPing(redis.port),
    stop: () => supervisor.stop('redis'),
  };
  return server;
}

function serverOptions(folder: string, port: number): string[] {
  const options = {
    bind: '127.0.0.1',
    port: String(port),
    dir: folder,
    save: '',
    appendonly: 'no',
    maxmemory: '512mb',
    // A full Redis must cause visible errors instead of evicting presence.
    'maxmemory-policy': 'noeviction',
  };
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
}
