import { connect, type Socket } from 'node:net';

export type HttpRequest = {
  method: string;
  path: string;
  accessToken?: string | undefined;
  body?: string | undefined;
};
export type HttpAnswer = { status: number; body: string };

export type HttpConnection = {
  /** Sends one request at a time. Rejects if the connection breaks. */
  request(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
};

const headEnd = Buffer.from('\r\n\r\n');
const answerDeadlineMs = 30_000;

/**
 * A keep-alive connection with the parts of HTTP/1.1 that a gateway uses. It takes a tenth of the CPU time of
 * node:http, which would compete with the system under test. It connects at the first request, and again after the
 * connection broke.
 */
export function createHttpConnection(baseUrl: string): HttpConnection {
  const { hostname, port, host } = new URL(baseUrl);
  let socket: Socket | undefined;
  let received: Buffer[] = [];
  let receivedBytes = 0;
  let waiting: { resolve: (answer: HttpAnswer) => void; reject: (error: Error) => void } | undefined;

  function opened(): Socket {
    if (socket) return socket;
    const fresh = connect({ host: hostname, port: Number(port || 80), noDelay: true });
    fresh.setTimeout(answerDeadlineMs, () => fresh.destroy(new Error('no answer in time')));
    fresh.on('data', onData);
    fresh.on('error', (error) => broken(fresh, error));
    fresh.on('close', () => broken(fresh, new Error('connection closed')));
    socket = fresh;
    return fresh;
  }

  function broken(which: Socket, error: Error): void {
    if (socket !== which) return;
    socket = undefined;
    received = [];
    receivedBytes = 0;
    const call = waiting;
    waiting = undefined;
    call?.reject(error);
  }

  function onData(chunk: Buffer): void {
    received.push(chunk);
    receivedBytes += chunk.length;
    const bytes = received.length === 1 ? chunk : Buffer.concat(received, receivedBytes);
    received = [bytes];
    const end = bytes.indexOf(headEnd);
    if (end < 0) return;
    const head = bytes.toString('latin1', 0, end);
    const status = Number(head.slice(9, 12));
    const bodyAt = end + headEnd.length;
    const length = status === 204 ? 0 : contentLength(head);
    if (length === undefined) {
      socket?.destroy(new Error('an answer without Content-Length'));
      return;
    }
    if (bytes.length < bodyAt + length) return;
    received = [];
    receivedBytes = 0;
    const call = waiting;
    waiting = undefined;
    call?.resolve({ status, body: bytes.toString('utf8', bodyAt, bodyAt + length) });
  }

  return {
    request({ method, path, accessToken, body }) {
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        const authorization = accessToken ? `authorization: Bearer ${accessToken}\r\n` : '';
        const content =
          body === undefined
            ? '\r\n'
            : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
        opened().write(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${authorization}${content}`);
      });
    },
    close() {
      const leaving = socket;
      socket = undefined;
      leaving?.destroy();
    },
  };
}

function contentLength(head: string): number | undefined {
  const found = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  return found === undefined ? undefined : Number(found);
}
