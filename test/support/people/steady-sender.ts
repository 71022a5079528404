import { type ChatSocket, openSocket, type ReceivedFrame } from '../../../clients/sdk/socket.ts';
import { pause } from '../pause.ts';
import { type Person, uniqueName } from './people.ts';

/** A message that was acknowledged; the times are of `performance.now()`. */
export type Acknowledged = { clientMsgId: string; seqId: number; sentAt: number; ackedAt: number };

export type SteadySender = {
  acknowledged: readonly Acknowledged[];
  /** When the first acknowledgement came of a message that was sent after `time`. */
  firstAckAfter(time: number): number | undefined;
  stop(): Promise<void>;
};

const reconnectMs = 100;

/**
 * Sends a new message every `everyMs`, whatever became of the ones before, and reconnects when its socket closes. The
 * content of each message is its clientMsgId.
 */
export function sendSteadily(options: {
  person: Pick<Person, 'accessToken'>;
  conversationId: string;
  gatewayUrl: string;
  everyMs: number;
}): SteadySender {
  const { person, conversationId, gatewayUrl } = options;
  const sentAt = new Map<string, number>();
  const acknowledged: Acknowledged[] = [];
  let socket: ChatSocket | undefined;
  let stopped = false;

  function onFrame({ type, data }: ReceivedFrame): void {
    if (type !== 'message-ack') return;
    const { clientMsgId, seqId } = data;
    const at = sentAt.get(clientMsgId);
    if (at !== undefined) acknowledged.push({ clientMsgId, seqId, sentAt: at, ackedAt: performance.now() });
    sentAt.delete(clientMsgId);
  }

  async function stayConnected(): Promise<void> {
    while (!stopped) {
      try {
        socket = await openSocket(gatewayUrl, person.accessToken, onFrame);
        await socket.closed;
      } catch {
        await pause(reconnectMs);
      }
    }
  }

  function send(): void {
    const clientMsgId = uniqueName('m');
    try {
      socket?.send('send-message', { conversationId, clientMsgId, content: clientMsgId });
      sentAt.set(clientMsgId, performance.now());
    } catch {
      // The socket is closed: the next message takes the next socket.
    }
  }

  const connected = stayConnected();
  const sending = setInterval(send, options.everyMs);
  return {
    acknowledged,
    firstAckAfter: (time) => acknowledged.find((message) => message.sentAt > time)?.ackedAt,
    async stop() {
      stopped = true;
      clearInterval(sending);
      await socket?.close();
      await connected;
    },
  };
}
