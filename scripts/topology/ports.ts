import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { Problem } from '../process/problem.ts';
import type { Port } from './topology.ts';

/** Throws a Problem for the first port on which another program listens. */
export async function assertPortsFree(ports: readonly Port[]): Promise<void> {
  assertPortsDiffer(ports);
  for (const { variable, port } of ports) {
    if (await isFree(port)) continue;
    throw new Problem(
      `Port ${port} is taken by ${holderOf(port)}: stop it, or set ${variable} to another port.`,
    );
  }
}

/** Throws a Problem if two settings have the same port, which would otherwise fail later with an unclear error. */
export function assertPortsDiffer(ports: readonly Port[]): void {
  const seen = new Map<number, string>();
  for (const { variable, port } of ports) {
    const other = seen.get(port);
    if (other !== undefined)
      throw new Problem(`${variable} and ${other} are both ${port}: change one of them.`);
    seen.set(port, variable);
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** `mysqld (pid 4711)` if the kernel shows it (on Linux, for own processes or root), otherwise `another program`. */
function holderOf(port: number): string {
  try {
    const inodes = listeningInodes(port);
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (!holdsSocket(pid, inodes)) continue;
      const [command = ''] = readFileSync(`/proc/${pid}/comm`, 'utf8').split('\n');
      return `${command} (pid ${pid})`;
    }
  } catch {
    // Not Linux, or no permission: the message has no program name.
  }
  return 'another program';
}

function listeningInodes(port: number): Set<string> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const listening = '0A';
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => readFileSync(path, 'utf8').split('\n'));
  const fields = rows.map((row) => row.trim().split(/\s+/));
  const held = fields.filter(([, local, , state]) => local?.endsWith(`:${hexPort}`) && state === listening);
  return new Set(held.flatMap((row) => row[9] ?? []));
}

function holdsSocket(pid: string, inodes: Set<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? '');
    });
  } catch {
    return false;
  }
}
