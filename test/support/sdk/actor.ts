// Room: clients of the SDK that act, are cut off, killed and started again, and the ledger that compares what they show with
// what the server has. Clients come from the package as it is built.

import { type Client, type Conversation, createClient, type Message, type Storage } from '@gochat/sdk';
import { badFetch } from './bad-fetch.ts';
import { badSocket } from './bad-socket.ts';

/** What a test tells a client to do. */
export type Order =
  | { do: 'send'; conversationId: string; text: string }
  | { do: 'edit' | 'recall' | 'read' | 'type'; conversationId: string }
  | { do: 'react'; conversationId: string; emoji: string }
  | { do: 'draft'; conversationId: string; text: string }
  | { do: 'behave'; bad: boolean }
  | { do: 'show'; number: number }
  | { do: 'stop' };

/** What a client tells a test. */
export type Report =
  | { type: 'told'; conversationId: string; seqId: number }
  /** A message is kept on the device: it must not get lost from now on. */
  | { type: 'saved'; conversationId: string; clientMsgId: string }
  /** The server has refused it for good. */
  | { type: 'refused'; clientMsgId: string; code: string }
  | { type: 'shown'; number: number; picture: Picture };

/** What a client shows. */
export interface Picture {
  state: string;
  conversations: { conversation: Conversation; messages: Message[]; waiting: string[]; draft: string }[];
}

export interface Setting {
  url: string;
  username: string;
  password: string;
  seed: number;
}

/** A client behind a bad network. It does what orders say, and reports. */
export function createActor(
  { url, username, password, seed }: Setting,
  storage: Storage,
  report: (what: Report) => void,
) {
  let isBad = true;
  const bad = () => isBad;
  const client = createClient({
    url,
    credentials: { username, password },
    storage,
    fetch: badFetch(seed, bad),
    webSocket: badSocket(seed + 1, bad),
  });
  client.on('message', ({ conversationId, seqId }) => report({ type: 'told', conversationId, seqId }));
  client.connect().catch(() => {});

  return {
    client,
    async obey(order: Order): Promise<void> {
      if (order.do === 'behave') isBad = order.bad;
      else if (order.do === 'show')
        report({ type: 'shown', number: order.number, picture: pictureOf(client) });
      else if (order.do === 'stop') await client.disconnect();
      else await act(client, order, report).catch(ignoreRefusal);
    },
  };
}

type Action = Exclude<Order, { do: 'behave' | 'show' | 'stop' }>;

async function act(client: Client, order: Action, report: (what: Report) => void): Promise<void> {
  const { conversationId } = order;
  const room = client.conversation(conversationId);
  const { messages } = room.get();
  switch (order.do) {
    case 'send': {
      const sent = room.send({ text: order.text });
      const { clientMsgId } = sent;
      sent.stored.catch(({ code }) => report({ type: 'refused', clientMsgId, code }));
      await sent.saved;
      report({ type: 'saved', conversationId, clientMsgId });
      return;
    }
    case 'edit':
    case 'recall': {
      const me = client.me.get()?.id;
      const own = messages.filter(({ id, sender, deleted }) => id > 0 && sender.id === me && !deleted).at(-1);
      if (!own) return;
      if (order.do === 'recall') await room.recall(own.id);
      else await room.edit(own.id, { text: `${own.content}.` });
      return;
    }
    case 'react': {
      const some = messages.filter(({ id, deleted }) => id > 0 && !deleted).at(-2);
      if (some) await room.react(some.id, order.emoji);
      return;
    }
    case 'read':
      room.markRead();
      return;
    case 'type':
      room.typing();
      return;
    case 'draft':
      room.draft.set(order.text);
  }
}

/** What the network loses or the server refuses is the fate of edits, recalls and reactions: they are not tried again. */
function ignoreRefusal(error: unknown): void {
  if (!(error instanceof Error && 'retryable' in error)) throw error;
}

function pictureOf(client: Client): Picture {
  return {
    state: client.connection.get().state,
    conversations: client.conversations.get().map(({ conversation }) => {
      const { messages, draft } = client.conversation(conversation.id).get();
      return {
        conversation,
        messages: messages.filter(({ status }) => status === undefined),
        waiting: messages.flatMap(({ status, clientMsgId }) => (status ? [`${status} ${clientMsgId}`] : [])),
        draft,
      };
    }),
  };
}
