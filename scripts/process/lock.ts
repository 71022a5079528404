import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Lock {
  release(): Promise<void>;
}

/**
 * Locks a data folder for this process; undefined if another process holds the lock.
 * The lock is a listening socket: the kernel releases it however the holder dies, and no child process inherits it.
 */
export async function claim(home: string): Promise<Lock | undefined> {
  const address = socketAddress(home);
  const server = (await listen(address)) ?? (await takeOverStale(address));
  if (server === undefined) return undefined;
  return { release: () => new Promise((done) => server.close(() => done())) };
}

/** An abstract socket on Linux, which has no file that could become stale; a socket file elsewhere. */
function socketAddress(home: string): string {
  const name = `gochat-${createHash('sha256').update(resolve(home)).digest('hex').slice(0, 24)}`;
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.sock`);
}

async function takeOverStale(address: string): Promise<Server | undefined> {
  if (address.startsWith('\0') || (await answers(address))) return undefined;
  rmSync(address, { force: true });
  return listen(address);
}

function listen(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(address, () => resolve(server));
  });
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
