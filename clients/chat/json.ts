import { createInterface } from 'node:readline';
import { type Client, type Events, GoChatError, type Message } from '@gochat/sdk';
import { sendFile } from './files.ts';
import { createSends } from './sends.ts';

type Command =
  | { type: 'send'; conversationId: string; text: string; replyTo?: number }
  | { type: 'file'; conversationId: string; path: string }
  | { type: 'open'; conversationId: string }
  | { type: 'history'; conversationId: string; limit?: number }
  | { type: 'conversations' }
  | { type: 'quit' };

const told = [
  'message',
  'message-changed',
  'message-recalled',
  'read',
  'typing',
  'presence',
  'conversation',
  'conversation-removed',
  'friend-request',
  'friend-request-handled',
  'connection',
] as const satisfies (keyof Events)[];

/**
 * Reads commands and writes events, a JSON object per line, until `quit` or the end of the input. Returns whether all messages
 * were stored.
 */
export async function runJson(client: Client): Promise<boolean> {
  const sends = createSends();
  const write = (event: object) => console.log(JSON.stringify(event));
  const fail = (error: unknown) => {
    const { code, message } =
      error instanceof GoChatError ? error : { code: 'INVALID_ARGUMENT', message: String(error) };
    write({ type: 'error', code, message });
  };
  for (const type of told) {
    client.on(type, (data) => write(type === 'message' ? { type, message: data } : { type, ...data }));
  }
  client.on('error', fail);
  write({ type: 'ready', user: client.me.get() });

  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    try {
      const command = JSON.parse(line) as Command;
      if (command.type === 'quit') break;
      await run(command);
    } catch (error) {
      fail(error);
    }
  }
  return sends.settle();

  /** The next commands need not wait until the message is stored. */
  function follow(stored: Promise<Message>): void {
    const tell = (message: Message) => write({ type: 'sent', clientMsgId: message.clientMsgId, message });
    sends.follow(stored, tell, fail);
  }

  async function run(command: Command): Promise<void> {
    switch (command.type) {
      case 'send': {
        const { conversationId, text, replyTo } = command;
        const room = client.conversation(conversationId);
        return follow(room.send({ text, ...(replyTo === undefined ? {} : { replyTo }) }).stored);
      }
      case 'file': {
        const { conversationId, path } = command;
        return follow(sendFile(client.conversation(conversationId), path));
      }
      case 'open': {
        const { conversationId } = command;
        const room = client.conversation(conversationId);
        room.markRead();
        write({ type: 'open', conversationId, conversation: room.get().conversation });
        return;
      }
      case 'history': {
        const { conversationId, limit = 50 } = command;
        const room = client.conversation(conversationId);
        while (room.get().messages.length < limit && (await room.loadOlder()));
        write({ type: 'history', conversationId, messages: room.get().messages.slice(-limit) });
        return;
      }
      case 'conversations':
        write({ type: 'conversations', conversations: client.conversations.get() });
        return;
      default:
        throw new GoChatError('INVALID_ARGUMENT', 'There is no such command.');
    }
  }
}
