// Room: a client library for GoChat: REST calls and a socket. It uses the public API only and imports nothing from
// the services.

import type { BareFrameType, ClientFrameData, ClientFrameType, ServerFrame } from '../../lib/wire/frames.ts';

export type { ClientFrame, ServerFrame } from '../../lib/wire/frames.ts';

/**
 * A frame as the client received it; `type` decides the shape of `data`. A newer server may send types that are not
 * listed here: ignore frames of unknown types.
 */
export type ReceivedFrame = ServerFrame & { timestamp?: number };

export type Closed = { code: number; reason: string };

export type ChatSocket = {
  /** The socket session's id, from `welcome`. */
  sessionId: string;
  send<T extends ClientFrameType>(type: T, data: ClientFrameData[T]): void;
  send(type: BareFrameType<ClientFrameData>): void;
  /** Sends the text unchanged, even if it is no valid frame. */
  sendRaw(text: string): void;
  close(code?: number): Promise<Closed>;
  /** Resolves when the socket is closed by either side. */
  closed: Promise<Closed>;
};

const welcomeDeadlineMs = 15_000;

/**
 * Opens a socket session and resolves after the gateway's `welcome`. The token is sent as a subprotocol and never
 * in the URL, since URLs end up in logs. `onFrame` gets every later frame, in order. Rejects if the gateway refuses
 * the socket or sends no `welcome` within 15 s.
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
      reject(new Error('the gateway sent no welcome in time'));
    }, welcomeDeadlineMs);
    closed.then(({ code, reason }) => {
      clearTimeout(deadline);
      reject(new Error(`the socket was closed before welcome: ${code} ${reason}`));
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
    // The close event that follows has the reason.
    socket.addEventListener('error', () => undefined);
  });
}
