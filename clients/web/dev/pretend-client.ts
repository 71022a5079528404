import type {
  Client,
  Conversation,
  ConversationItem,
  Friend,
  Message,
  RoomSnapshot,
  ShownMessage,
  User,
} from '@gochat/sdk';

/** What a scene of the gallery shows. */
export interface Scene {
  connection?: ReturnType<Client['connection']['get']>;
  rooms?: readonly Partial<RoomSnapshot>[];
  friends?: readonly Friend[];
}

export const person = (id: string, displayName: string): User => ({
  id,
  username: displayName.toLowerCase().replace(/\W+/g, '.'),
  displayName,
  avatarUrl: '',
  isGuest: false,
  createdAt: 1,
});

export const me = person('1', 'Ines Carvalho');

export const conversation = (fields: Partial<Conversation>): Conversation => ({
  id: 'c',
  type: 2,
  name: '',
  avatarUrl: '',
  description: '',
  announcement: '',
  ownerId: '',
  memberCount: 2,
  role: 1,
  muted: false,
  lastSeqId: 1,
  lastChangeSeq: 0,
  lastReadSeqId: 0,
  unreadCount: 0,
  notifications: 'all',
  pinned: false,
  hidden: false,
  settings: { inviteBy: 'admins', muteAll: false, maxMembers: 2000 },
  createdAt: 1,
  updatedAt: 1,
  ...fields,
});

export function message(
  seqId: number,
  sender: User,
  content: string,
  fields: Partial<ShownMessage> = {},
): ShownMessage {
  return {
    id: seqId,
    conversationId: 'c',
    seqId,
    sender,
    messageType: 1,
    content,
    clientMsgId: `m${seqId}`,
    deleted: false,
    createdAt: Date.now() - (100 - seqId) * 60_000,
    changeSeq: 0,
    ...fields,
  };
}

const nothing: RoomSnapshot = {
  conversation: undefined,
  messages: [],
  hasOlder: false,
  unreadCount: 0,
  firstUnreadSeq: undefined,
  typing: [],
  members: undefined,
  reads: {},
  draft: '',
};

/** A client that shows a scene and does nothing. */
export function pretendClient({ connection = { state: 'online' }, rooms = [], friends = [] }: Scene): Client {
  const quiet = () => () => {};
  const done = async () => {};
  const snapshots = rooms.map((room) => ({ ...nothing, ...room }));
  const items: ConversationItem[] = snapshots.flatMap(
    ({ conversation: known, unreadCount, draft, messages }) => {
      const lastMessage: Message | undefined = messages.findLast(({ seqId }) => seqId > 0);
      return known ? [{ conversation: known, unreadCount, lastMessage, draft }] : [];
    },
  );
  const roomOf = (id: string) => snapshots.find((room) => room.conversation?.id === id) ?? nothing;
  const client = {
    connect: done,
    disconnect: done,
    connection: { get: () => connection, subscribe: quiet },
    me: { get: () => me, subscribe: quiet },
    on: quiet,
    call: () => new Promise(() => {}),
    conversations: { get: () => items, subscribe: quiet, loadMore: done },
    conversation: memoised((id: string) => ({
      id,
      get: () => roomOf(id),
      subscribe: quiet,
      loadOlder: async () => false,
      loadMembers: async () => [],
      markRead: () => {},
      typing: () => {},
      draft: { get: () => roomOf(id).draft, set: () => {} },
    })),
    friends: { list: async () => friends, requests: async () => [], blocked: async () => [] },
    users: { get: async () => ({ ...me, online: true }), search: async () => [] },
    groups: { members: {} },
  };
  return client as unknown as Client;
}

function memoised<T>(make: (id: string) => T): (id: string) => T {
  const made = new Map<string, T>();
  return (id) => {
    const known = made.get(id) ?? make(id);
    made.set(id, known);
    return known;
  };
}
