import { connect, createServer, type Socket } from 'node:net';
import { type Carrier, carry } from './carrier.ts';

/**
 * What a door does with its connections. Slow: every byte is delayed by `delayMs`. Silent: existing connections stay
 * and new ones are accepted, but no byte passes until the door opens again, as after an unplugged cable. Shut:
 * existing and new connections are reset.
 */
export type DoorState = { is: 'open' | 'silent' | 'shut' } | { is: 'slow'; delayMs: number };

export interface Door {
  set(state: DoorState): void;
  close(): Promise<void>;
}

interface Passage {
  sockets: readonly [Socket, Socket];
  carriers: readonly Carrier[];
}

/** A TCP proxy between a process and a server, which tests can slow down, silence or shut. */
export async function openDoor({ port, target }: { port: number; target: number }): Promise<Door> {
  let state: DoorState = { is: 'open' };
  const passages = new Set<Passage>();
  const delayMs = () => (state.is === 'slow' ? state.delayMs : 0);

  function admit(inner: Socket): void {
    const outer = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const passage: Passage = {
      sockets: [inner, outer],
      carriers: [carry(inner, outer, delayMs), carry(outer, inner, delayMs)],
    };
    passages.add(passage);
    const leave = () => {
      if (inner.destroyed && outer.destroyed) passages.delete(passage);
    };
    inner.on('close', leave);
    outer.on('close', leave);
    apply(passage);
  }

  function apply({ sockets, carriers }: Passage): void {
    if (state.is === 'shut') for (const socket of sockets) socket.resetAndDestroy();
    else for (const carrier of carriers) carrier.hold(state.is === 'silent');
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, admit);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    set(next) {
      state = next;
      for (const passage of passages) apply(passage);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const { sockets } of passages) for (const socket of sockets) socket.destroy();
      }),
  };
}
