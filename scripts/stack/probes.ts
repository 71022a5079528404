import { connect } from 'node:net';

/** True if a MySQL server sends its greeting: four bytes of header, then protocol version 10. */
export function mysqlGreets(port: number): Promise<boolean> {
  return firstAnswer(port, undefined, (greeting) => greeting[4] === 10);
}

export function redisAnswersPing(port: number): Promise<boolean> {
  return firstAnswer(port, Buffer.from('PING\r\n'), (reply) => reply.toString().startsWith('+PONG'));
}

export function redisTakesPassword(port: number, password: string): Promise<boolean> {
  const question = Buffer.from(`AUTH ${password}\r\n`);
  return firstAnswer(port, question, (reply) => reply.toString().startsWith('+OK'));
}

/** True if the broker answers ApiVersions (version 0), which it does only when it serves clients. */
export function kafkaServes(port: number): Promise<boolean> {
  const request = Buffer.alloc(14);
  request.writeInt32BE(10, 0); // length of what follows
  request.writeInt16BE(18, 4); // ApiVersions
  request.writeInt16BE(0, 6); // version
  request.writeInt32BE(1, 8); // correlation id
  request.writeInt16BE(-1, 12); // no client id
  // The reply is length, correlation id, error code.
  return firstAnswer(port, request, (reply) => reply.length >= 10 && reply.readInt16BE(8) === 0);
}

/** True if a server listens on the port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const answer = (good: boolean) => {
      socket.destroy();
      resolve(good);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}

/** Connects to a local port, sends `question` and checks the first bytes of the reply. */
function firstAnswer(
  port: number,
  question: Buffer | undefined,
  isGood: (answer: Buffer) => boolean,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => question && socket.write(question));
    const answer = (good: boolean) => {
      socket.destroy();
      resolve(good);
    };
    socket.setTimeout(2_000, () => answer(false));
    socket.once('data', (data) => answer(isGood(data)));
    socket.once('error', () => answer(false));
    socket.once('close', () => answer(false));
  });
}
