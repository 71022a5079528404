import type { Message } from '../../../clients/sdk/rest.ts';
import { type ChatSocket, openSocket, type ReceivedFrame } from '../../../clients/sdk/socket.ts';
import { pause } from '../pause.ts';
import { type Data, gatewayUrl, type Person, wholeHistory } from './people.ts';

const ackDeadlineMs = 3000;
const pauseMs = 100;

export type ReconnectingClient = {
  /** Sends a message until it is acknowledged, over as many sockets as needed, always with the same clientMsgId. */
  say(
    conversationId: string,
    clientMsgId: string,
    content: string,
  ): Promise<{ seqId: number; messageId: number }>;
  /** The messages received as new-message, by seq id. */
  received: Map<number, Message>;
  /** Reads the messages that a closed socket has missed. */
  catchUp(conversationId: string): Promise<void>;
  close(): Promise<void>;
};

/** A client that never gives up: it reconnects, retries with the same clientMsgId and syncs. */
export async function createReconnectingClient(
  person: Person,
  baseUrl = gatewayUrl,
): Promise<ReconnectingClient> {
  const received = new Map<number, Message>();
  const acks = new Map<string, (data: Data) => void>();
  let socket: ChatSocket | undefined;
  let connecting: Promise<void> | undefined;
  let over = false;

  function onFrame({ type, data }: ReceivedFrame): void {
    if (type === 'new-message') received.set(data.seqId, data);
    if (type === 'message-ack') acks.get(data.clientMsgId)?.(data);
    if (type === 'error' && !data.retryable) throw new Error(`refused: ${JSON.stringify(data)}`);
  }

  async function connect(): Promise<void> {
    while (!over) {
      try {
        const opened = await openSocket(baseUrl, person.accessToken, onFrame);
        socket = opened;
        opened.closed.then(() => {
          if (socket !== opened) return;
          socket = undefined;
          connected();
        });
        return;
      } catch {
        await pause(pauseMs);
      }
    }
  }
  function connected(): Promise<void> {
    connecting ??= connect().finally(() => {
      connecting = undefined;
    });
    return connecting;
  }

  await connected();
  return {
    received,
    async say(conversationId, clientMsgId, content) {
      for (;;) {
        if (!socket) await connected();
        const ack = new Promise<Data>((resolve) => acks.set(clientMsgId, resolve));
        try {
          socket?.send('send-message', { conversationId, clientMsgId, content });
        } catch {
          continue;
        }
        const data = await Promise.race([ack, pause(ackDeadlineMs)]);
        if (data) {
          acks.delete(clientMsgId);
          return { seqId: data.seqId, messageId: data.messageId };
        }
      }
    },
    async catchUp(conversationId) {
      for (const message of await wholeHistory(person, conversationId)) {
        if (!received.has(message.seqId)) received.set(message.seqId, message);
      }
    },
    async close() {
      over = true;
      await socket?.close();
    },
  };
}
