import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { readRunFile } from '../../../scripts/process/run-file.ts';
import { gatewayPorts, serverPorts, servicePorts, userProfile } from '../../../scripts/topology/topology.ts';
import { eventually } from '../eventually.ts';
import type { Cgroup } from './cgroup.ts';

/** A system that `npm start` runs in a control group, with ports and data of its own. */
export type ConfinedSystem = {
  url: string;
  /** By process: its pid, how often it was restarted, and its share of memory (PSS) in bytes. */
  processes(): { name: string; pid: number; restarts: number; bytes: number }[];
  /** The end of what `npm start` has printed. */
  printed(): string;
  stop(): Promise<void>;
};

const readyWithinMs = 180_000;
/** Beside the ports of tests, whose own offset comes on top. */
const portOffset = 1500;

export async function startConfined(home: string, cgroup: Cgroup): Promise<ConfinedSystem> {
  const root = resolve(import.meta.dirname, '../../..');
  rmSync(home, { recursive: true, force: true });
  const { env, url } = settings(home);
  const enter = cgroup.entrances.map((path) => `echo $$ > '${path}'`).join(' && ');
  const child = spawn('sh', ['-c', `${enter} && exec "$0" scripts/start.ts`, process.execPath], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      printed = `${printed}${text}`.slice(-3000);
    });
  }
  const system: ConfinedSystem = {
    url,
    processes: () =>
      Object.entries(readRunFile(home)).map(([name, { pid, restarts }]) => ({
        name,
        pid,
        restarts,
        bytes: proportionalBytes(pid),
      })),
    printed: () => printed,
    stop: () => ended(child, () => child.kill('SIGTERM')),
  };
  try {
    await eventually(() => isOver(child) || system.printed().includes('GoChat is ready'), readyWithinMs, 200);
    if (isOver(child)) throw new Error('npm start has ended');
  } catch (error) {
    await system.stop();
    throw new Error(`${(error as Error).message}; it printed: ${system.printed()}`);
  }
  return system;
}

/** The settings of the user for `npm start`: every port is one that no other test uses. */
function settings(home: string): { env: NodeJS.ProcessEnv; url: string } {
  const { DATABASE_URL, REDIS_URL, KAFKA_BROKERS, TEMPORAL_ADDRESS, GRPC_TOKEN_FILE, ...others } =
    process.env;
  const offset = Number(process.env.TEST_PORT_OFFSET ?? 20_000) + portOffset;
  const profile = { ...userProfile({}), portOffset: offset };
  const ports = [...Object.values(serverPorts(profile)), ...servicePorts(profile)];
  const [gateway] = gatewayPorts(profile);
  return {
    env: {
      ...others,
      ...Object.fromEntries(ports.map(({ variable, port }) => [variable, String(port)])),
      GOCHAT_HOME: home,
      GOCHAT_STACK: 'native',
    },
    url: `http://127.0.0.1:${gateway?.http.port}`,
  };
}

const isOver = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

async function ended(child: ChildProcess, end: () => void): Promise<void> {
  if (isOver(child)) return;
  const exit = once(child, 'exit');
  end();
  await exit;
}

function proportionalBytes(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss: +(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
