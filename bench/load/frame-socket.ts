import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export type FrameSocket = {
  isOpen(): boolean;
  /** Sends a text frame. The text must be ASCII. */
  send(text: string): void;
  /** Starts the closing handshake. */
  close(code: number): void;
  /** Closes the connection without a close frame. */
  terminate(): void;
  pause(): void;
  resume(): void;
};

export type FrameHandlers = {
  /** A complete text frame: the bytes from `from` to `to`, which are valid only during the call. */
  onText(bytes: Buffer, from: number, to: number): void;
  /** Called once, with the code of the server's close frame, or 1006 without a close frame. */
  onClose(code: number, reason: string): void;
};

/** All sockets of a process read into this buffer, one after the other, so that a read allocates no buffer. */
const readBuffer = Buffer.alloc(256 * 1024);
const headEnd = Buffer.from('\r\n\r\n');
const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;
const abnormal = 1006;
/** After this time without an answer to the close frame, the socket is destroyed. */
const closeDeadlineMs = 5000;

/**
 * A WebSocket client for the frames that a gateway sends: complete unmasked text frames. It takes a fraction of the
 * CPU time of a full client, which would compete with the system under test.
 */
export function openFrameSocket(url: string, protocols: string, handlers: FrameHandlers): FrameSocket {
  const { hostname, port, host, pathname } = new URL(url);
  let open = false;
  let upgraded = false;
  let code = abnormal;
  let reason = '';
  /** The start of an incomplete frame or handshake answer. */
  let rest: Buffer | undefined;

  const socket: Socket = connect({
    host: hostname,
    port: Number(port || 80),
    noDelay: true,
    onread: { buffer: readBuffer, callback: onRead },
  });
  socket.on('connect', () => {
    socket.write(
      `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
        `Sec-WebSocket-Protocol: ${protocols}\r\n\r\n`,
    );
  });
  socket.on('error', (error) => {
    reason = error.message;
  });
  socket.on('close', () => {
    open = false;
    handlers.onClose(code, reason);
  });

  function onRead(length: number): boolean {
    const fresh = readBuffer.subarray(0, length);
    const bytes = rest ? Buffer.concat([rest, fresh]) : fresh;
    const used = upgraded ? readFrames(bytes, 0) : readHandshake(bytes);
    rest = used < bytes.length ? Buffer.from(bytes.subarray(used)) : undefined;
    return true;
  }

  function readHandshake(bytes: Buffer): number {
    const end = bytes.indexOf(headEnd);
    if (end < 0) return 0;
    const status = bytes.toString('latin1', 9, 12);
    if (status !== '101') {
      reason = `the handshake was answered with ${status}`;
      socket.destroy();
      return bytes.length;
    }
    upgraded = true;
    open = true;
    return readFrames(bytes, end + headEnd.length);
  }

  /** Reads all complete frames; returns the position of the first incomplete one. */
  function readFrames(bytes: Buffer, start: number): number {
    let at = start;
    while (bytes.length - at >= 2) {
      const opcode = (bytes[at] ?? 0) & 15;
      let length = (bytes[at + 1] ?? 0) & 127;
      let from = at + 2;
      if (length === 126) {
        from += 2;
        if (bytes.length < from) break;
        length = bytes.readUInt16BE(from - 2);
      } else if (length === 127) {
        from += 8;
        if (bytes.length < from) break;
        length = Number(bytes.readBigUInt64BE(from - 8));
      }
      const to = from + length;
      if (bytes.length < to) break;
      at = to;
      if (opcode === opcodes.text) handlers.onText(bytes, from, to);
      else onControl(opcode, bytes, from, length);
    }
    return at;
  }

  function onControl(opcode: number, bytes: Buffer, from: number, length: number): void {
    if (opcode === opcodes.ping) write(opcodes.pong, bytes.toString('latin1', from, from + length));
    if (opcode !== opcodes.close) return;
    code = length >= 2 ? bytes.readUInt16BE(from) : 1005;
    if (open) write(opcodes.close, bytes.toString('latin1', from, from + Math.min(length, 2)));
    open = false;
    socket.end();
  }

  /** Clients must mask frames. The mask is zero, so the payload stays unchanged; the gateway's work is the same. */
  function write(opcode: number, payload: string): void {
    const { length } = payload;
    const size =
      length < 126
        ? String.fromCharCode(128 | length)
        : String.fromCharCode(128 | 126, length >> 8, length & 255);
    socket.write(`${String.fromCharCode(128 | opcode)}${size}\0\0\0\0${payload}`, 'latin1');
  }

  return {
    isOpen: () => open,
    send(text) {
      if (open) write(opcodes.text, text);
    },
    close(with_) {
      if (open) write(opcodes.close, String.fromCharCode(with_ >> 8, with_ & 255));
      else socket.destroy();
      open = false;
      setTimeout(() => socket.destroy(), closeDeadlineMs).unref();
    },
    terminate: () => socket.destroy(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
}
