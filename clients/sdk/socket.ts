// Room: a client of GoChat: REST calls and a socket. It knows what any client knows, and imports nothing of the
// services.

/** A frame as it travels, either way. */
export type Frame = { type: string; data?: Record<string, unknown>; timestamp?: number };

export type Closed = { code: number; reason: string };

export type ChatSocket = {
  /** The socket session's id, from `welcome`. */
  sessionId: string;
  send(type: string, data?: Record<string, unknown>): void;
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
  onFrame: (frame: Frame) => void,
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
      const frame: Frame = JSON.parse(String(event.data));
      if (welcomed) return onFrame(frame);
      if (frame.type !== 'welcome') return;
      welcomed = true;
      clearTimeout(deadline);
      resolve({
        sessionId: String(frame.data?.sessionId ?? ''),
        send: (type, data) => socket.send(JSON.stringify({ type, ...(data ? { data } : {}) })),
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
