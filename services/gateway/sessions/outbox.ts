import type { Session } from './session.ts';

export type Outbox = {
  /** Queues a frame. All frames of one turn of the event loop are written to the connection at once. */
  send(session: Session, frame: Buffer): void;
  /** Writes the queued frames of a session now, before its close frame. */
  flush(session: Session): void;
};

/** Frames of up to this total size are copied into one buffer; larger ones are written without a copy. */
const copyLimitBytes = 16 * 1024;

/**
 * Writes frames to sockets, coalesced per turn of the event loop: a session that gets fifty messages of one batch costs
 * one system call. A session with more unwritten bytes than the limit is too slow to be served. This does not use the
 * batching of lib/async, because nothing is awaited here, and a frame should cost no more than an entry in an array.
 */
export function createOutbox(options: {
  limitBytes: number;
  onTooSlow: (session: Session) => void;
  onWritten: (frames: number) => void;
}): Outbox {
  let dirty: Session[] = [];

  function writeAll(): void {
    const sessions = dirty;
    dirty = [];
    for (const session of sessions) flush(session);
  }

  function flush(session: Session): void {
    const frames = session.outbox;
    if (frames.length === 0) return;
    session.outbox = [];
    const { socket, stream } = session;
    // No frame may follow a close frame.
    if (socket.readyState !== socket.OPEN || stream.destroyed) return;
    write(stream, frames);
    options.onWritten(frames.length);
    if (stream.writableLength > options.limitBytes) options.onTooSlow(session);
  }

  return {
    send(session, frame) {
      if (session.state === 'closing') return;
      if (session.outbox.length === 0) {
        if (dirty.length === 0) setImmediate(writeAll);
        dirty.push(session);
      }
      session.outbox.push(frame);
    },
    flush,
  };
}

function write(stream: Session['stream'], frames: Buffer[]): void {
  const [first] = frames;
  if (frames.length === 1 && first) {
    stream.write(first);
    return;
  }
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  if (bytes <= copyLimitBytes) {
    stream.write(Buffer.concat(frames, bytes));
    return;
  }
  stream.cork();
  for (const frame of frames) stream.write(frame);
  stream.uncork();
}
