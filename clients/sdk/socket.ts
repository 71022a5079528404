// Room: a client of GoChat: REST calls and a socket. It knows what any client knows, and imports nothing of the
// services.

import type { BareFrameType, ClientFrameData, ClientFrameType, ServerFrame } from '../../lib/wire/frames.ts';

export type { ClientFrame, ServerFrame } from '../../lib/wire/frames.ts';

/**
 * A frame as it came: `type` tells which `data` it has. A server of a later version may send types that are not listed
 * here; pass over what you do not know.
 */
export type ReceivedFrame = ServerFrame & { timestamp?: number };

export type Closed = { code: number; reason: string };

export type ChatSocket = {
  /** The socket session's id, from `welcome`. */
  sessionId: string;
  send<T extends ClientFrameType>(type: T, data: ClientFrameData[T]): void;
  send(type: BareFrameType<ClientFrameData>): void;
  /** Sends text as it is. */
  sendRaw(text: string): void;
  close(code?: number): Promise<Closed>;
  /** Resolves when the socket is closed by either side. */
  closed: Promise<Closed>;
};

const welcomeDeadlineMs = 15_000;

/**
 * Opens a session and resolves with it after `welcome`. The token travels in a subprotocol, never in the URL.
 * `onFrame` gets every frame after `welcome`, in order. Rejects when the gateway refuses.
 */
export function openSocket(
  baseUrl: string,
  accessToken: string,
  onFrame: (frame: ReceivedFrame) => void,
): Promise<ChatSocket> {
  const url = new URL('/ws', baseUrl);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url, ['gochat.v1', `bearer.${accessToken}`]);
  const closed = new Promise<Closed>((resolve) => {
    socket.addEventListener('close', (event) => resolve({ code: event.code, reason: event.reason }));
  });

  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => {
      socket.close();
      reject(new Error('no welcome in time'));
    }, welcomeDeadlineMs);
    closed.then(({ code, reason }) => {
      clearTimeout(deadline);
      reject(new Error(`closed before welcome: ${code} ${reason}`));
    });
    let welcomed = false;
    socket.addEventListener('message', (event) => {
      const frame: ReceivedFrame = JSON.parse(String(event.data));
      if (welcomed) return onFrame(frame);
      if (frame.type !== 'welcome') return;
      welcomed = true;
      clearTimeout(deadline);
      resolve({
        sessionId: frame.data.sessionId,
        send: (type: ClientFrameType, data?: unknown) => socket.send(JSON.stringify({ type, data })),
        sendRaw: (text) => socket.send(text),
        close: (code = 1000) => {
          socket.close(code);
          return closed;
        },
        closed,
      });
    });
    // The reason follows in the close event.
    socket.addEventListener('error', () => undefined);
  });
}
