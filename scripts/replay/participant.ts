// Room: the replay of chat logs by real users of a running system. It reaches the system only as
// clients do, by the calls and the socket of the SDK.

import type { ServerFrame } from '../../clients/sdk/src/model/input.ts';
import { openSocket, type Socket } from '../../clients/sdk/src/transport/socket.ts';
import type { Ledger } from './ledger.ts';

export type Participant = {
  nick: string;
  present(): boolean;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  /** Sends a line; resolves to its seq id when the acknowledgement arrives. */
  say(line: number, text: string): Promise<number>;
};

const ackDeadlineMs = 15_000;

/** One nick of the log: a registered user, online while it has a socket. The ledger records what it receives. */
export function createParticipant(options: {
  nick: string;
  gatewayUrl: string;
  accessToken: string;
  conversationId: string;
  ledger: Ledger;
}): Participant {
  const { nick, conversationId, ledger } = options;
  const waiting = new Map<
    string,
    { resolve: (seqId: number) => void; reject: (error: Error) => void; sentAt: number }
  >();
  let socket: Socket | undefined;

  function onFrame({ type, data }: ServerFrame): void {
    if (type === 'new-message' && data.conversationId === conversationId) ledger.received(nick, data);
    if (type === 'message-ack') settle(data.clientMsgId, data.seqId);
    if (type === 'error') {
      waiting.get(data.clientMsgId ?? '')?.reject(new Error(`${nick}: ${data.code}: ${data.message}`));
    }
  }

  function settle(clientMsgId: string, seqId: number): void {
    const entry = waiting.get(clientMsgId);
    if (!entry) return;
    waiting.delete(clientMsgId);
    ledger.acknowledged(performance.now() - entry.sentAt);
    entry.resolve(seqId);
  }

  return {
    nick,
    present: () => socket !== undefined,
    async connect() {
      const { gatewayUrl: url, accessToken: token } = options;
      socket = await openSocket({ url, token, WebSocket, onFrame, signal: new AbortController().signal });
      ledger.joined(nick);
    },
    async disconnect() {
      await ledger.caughtUp(nick);
      ledger.left(nick);
      const leaving = socket;
      socket = undefined;
      leaving?.close();
    },
    say(line, text) {
      const clientMsgId = `line-${line}`;
      return new Promise<number>((resolve, reject) => {
        const sentAt = performance.now();
        const deadline = setTimeout(
          () => reject(new Error(`${nick}: no ack for line ${line}`)),
          ackDeadlineMs,
        );
        waiting.set(clientMsgId, {
          sentAt,
          resolve: (seqId) => {
            clearTimeout(deadline);
            resolve(seqId);
          },
          reject,
        });
        ledger.sent(line, nick, text, sentAt);
        socket?.send('send-message', { conversationId, clientMsgId, content: text });
      });
    },
  };
}
