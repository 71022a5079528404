// Room: what unit tests of the SDK stand on: a server, a network and tabs that are only pretended. Nothing here is part of the
// package, and no code of the services may come in.

import type { ServerFrame, SyncAnswer } from '../src/model/input.ts';
import type { Conversation, Message, User } from '../src/wire/wire.ts';

const userOf = (id: string): User => ({
  id,
  username: id,
  displayName: id,
  avatarUrl: '',
  isGuest: false,
  createdAt: 0,
});

export const me = userOf('me');

interface Kept {
  id: string;
  name: string;
  isMember: boolean;
  memberCount: number;
  messages: Message[];
  lastReadSeqId: number;
  otherReads: number;
  /** The last change of the conversation or of the user's place in it. Messages and recalls do not count. */
  changedAt: number;
  updatedAt: number;
  changes: number;
  recalledAt: Map<number, number>;
}

/** Changes up to this long before `since` are answered again, as the real server does. */
const overlap = 3000;
const perConversation = 3;

/** A server with one user, `me`, whose session gets frames by `frames`. Time moves a second with each change. */
export function createPretendServer() {
  const kept = new Map<string, Kept>();
  let clock = 100_000;
  let nextId = 1;
  /** Frames on their way to the session; undefined while there is none. */
  let frames: ServerFrame[] | undefined;
  let onFrame: () => void = () => {};

  const tick = () => {
    clock += 1000;
    return clock;
  };
  const push = (frame: Pick<ServerFrame, 'type' | 'data'>, to: Kept) => {
    if (!to.isMember || !frames) return;
    frames.push({ ...frame, timestamp: clock } as ServerFrame);
    onFrame();
  };
  const list = () => [...kept.values()];
  const at = (n: number): Kept | undefined => list()[n % Math.max(1, kept.size)];

  function shown(one: Kept): Conversation {
    const { id, name, memberCount, messages, lastReadSeqId, updatedAt } = one;
    const lastMessage = messages.at(-1);
    return {
      id,
      type: 2,
      name,
      avatarUrl: '',
      description: '',
      announcement: '',
      ownerId: 'other',
      memberCount,
      role: 1,
      muted: false,
      lastSeqId: messages.length,
      lastChangeSeq: one.changes,
      lastReadSeqId,
      unreadCount: messages.filter(({ seqId, deleted }) => seqId > lastReadSeqId && !deleted).length,
      notifications: 'all',
      pinned: false,
      hidden: false,
      ...(lastMessage ? { lastMessage } : {}),
      settings: { inviteBy: 'admins', muteAll: false, maxMembers: 0 },
      createdAt: 0,
      updatedAt,
    };
  }

  function store(one: Kept, sender: string, clientMsgId: string): Message {
    const { id, username, displayName, avatarUrl } = userOf(sender);
    const now = tick();
    const message: Message = {
      id: 1000 + now,
      conversationId: one.id,
      seqId: one.messages.length + 1,
      sender: { id, username, displayName, avatarUrl },
      messageType: 1,
      content: `text ${now}`,
      clientMsgId,
      deleted: false,
      createdAt: now,
      changeSeq: 0,
    };
    one.messages.push(message);
    one.updatedAt = now;
    if (sender === me.id) one.lastReadSeqId = message.seqId;
    return message;
  }

  function changed(one: Kept): void {
    one.changedAt = tick();
  }

  /** Numbers a change of a message and tells it. */
  function change(one: Kept, message: Message): void {
    one.changes += 1;
    const changeSeq = one.changes;
    const changed = { ...message, changeSeq };
    one.messages[message.seqId - 1] = changed;
    push({ type: 'message-changed', data: { conversationId: one.id, changeSeq, message: changed } }, one);
  }

  function tellMembers(one: Kept, type: 'member-added' | 'member-removed', userId: string): void {
    const conversationId = one.id;
    if (type === 'member-removed')
      push({ type, data: { conversationId, userIds: [userId], by: 'other' } }, one);
    else {
      const member = { ...userOf(userId), role: 1, muted: false, joinedAt: clock, lastReadSeqId: 0 };
      push({ type, data: { conversationId, members: [member] } }, one);
    }
  }

  return {
    shown: () =>
      list()
        .filter(({ isMember }) => isMember)
        .map(shown),
    messagesOf: (id: string) => kept.get(id)?.messages ?? [],
    /** Opens the session; `tellFrame` is called whenever there is another frame. */
    connect(tellFrame: () => void = () => {}): ServerFrame[] {
      onFrame = tellFrame;
      frames = [];
      return frames;
    },
    disconnect() {
      frames = undefined;
    },
    create() {
      const id = String(nextId);
      nextId += 1;
      const now = tick();
      const one: Kept = {
        id,
        name: `name ${now}`,
        isMember: true,
        memberCount: 2,
        messages: [],
        lastReadSeqId: 0,
        otherReads: 0,
        changedAt: now,
        updatedAt: now,
        changes: 0,
        recalledAt: new Map(),
      };
      kept.set(id, one);
      push({ type: 'conversation-created', data: { conversation: shown(one) } }, one);
    },
    otherSends(n: number, sender: string) {
      const one = at(n);
      if (!one || (sender === me.id && !one.isMember)) return;
      const message = store(one, sender, `x${clock}`);
      push({ type: 'new-message', data: message }, one);
    },
    /** A send of the session itself; a known clientMsgId is acknowledged again. Undefined: refused. */
    send(
      conversationId: string,
      clientMsgId: string,
    ): Extract<ServerFrame, { type: 'message-ack' }> | undefined {
      const one = kept.get(conversationId);
      if (!one?.isMember) return undefined;
      const before = one.messages.find((message) => message.clientMsgId === clientMsgId);
      const { id: messageId, seqId, createdAt } = before ?? store(one, me.id, clientMsgId);
      const data = {
        clientMsgId,
        conversationId,
        messageId,
        seqId,
        createdAt,
        duplicate: before !== undefined,
      };
      push({ type: 'message-ack', data }, one);
      return { type: 'message-ack', data, timestamp: clock };
    },
    contentOf: (conversationId: string, seqId: number) =>
      kept.get(conversationId)?.messages[seqId - 1]?.content,
    recall(n: number, which: number) {
      const one = at(n);
      const index = which % Math.max(1, one?.messages.length ?? 0);
      const message = one?.messages[index];
      if (!one || !message || message.deleted) return;
      one.recalledAt.set(message.seqId, tick());
      const { id: messageId, seqId } = message;
      push(
        { type: 'message-recalled', data: { conversationId: one.id, messageId, seqId, by: 'other' } },
        one,
      );
      change(one, { ...message, content: '', deleted: true });
    },
    edit(n: number, which: number) {
      const one = at(n);
      const message = one?.messages[which % Math.max(1, one?.messages.length ?? 0)];
      if (one && message && !message.deleted)
        change(one, { ...message, content: 'edited', editedAt: tick() });
    },
    rename(n: number) {
      const one = at(n);
      if (!one) return;
      changed(one);
      one.name = `name ${clock}`;
      one.updatedAt = clock;
      const { role: _, muted: __, lastReadSeqId: ___, unreadCount: ____, ...shared } = shown(one);
      push({ type: 'conversation-updated', data: { conversation: shared } }, one);
    },
    otherJoins(n: number) {
      const one = at(n);
      if (!one) return;
      one.memberCount += 1;
      changed(one);
      tellMembers(one, 'member-added', `u${clock}`);
    },
    /** The user reads on another device. */
    read(n: number, upTo: number) {
      const one = at(n);
      if (!one?.isMember) return;
      this.readHere(one.id, upTo % (one.messages.length + 1));
    },
    readHere(id: string, seqId: number): void {
      const one = kept.get(id);
      if (!one?.isMember || seqId <= one.lastReadSeqId) return;
      one.lastReadSeqId = Math.min(seqId, one.messages.length);
      changed(one);
      push(
        { type: 'message-read', data: { conversationId: id, userId: me.id, seqId: one.lastReadSeqId } },
        one,
      );
    },
    leave(n: number) {
      const one = at(n);
      if (!one?.isMember) return;
      changed(one);
      tellMembers(one, 'member-removed', me.id);
      one.isMember = false;
      one.memberCount -= 1;
    },
    join(n: number) {
      const one = at(n);
      if (!one || one.isMember) return;
      one.isMember = true;
      one.memberCount += 1;
      one.lastReadSeqId = one.messages.length;
      changed(one);
      tellMembers(one, 'member-added', me.id);
    },
    conversation(id: string): Conversation | undefined {
      const one = kept.get(id);
      return one?.isMember ? shown(one) : undefined;
    },
    sync(
      cursors: Readonly<Record<string, number>>,
      since = 0,
      changesAfter: Readonly<Record<string, number>> = {},
    ): SyncAnswer {
      const mine = list().filter(({ isMember }) => isMember);
      const conversations = mine
        .filter(
          ({ id, messages, changedAt }) =>
            (cursors[id] ?? -1) !== messages.length || changedAt > since - overlap,
        )
        .map((one) => {
          const missing = one.messages.slice(cursors[one.id] ?? 0);
          return {
            conversation: shown(one),
            messages: missing.slice(0, perConversation),
            hasMore: missing.length > perConversation,
          };
        });
      const hasMore = conversations.some((one) => one.hasMore);
      return {
        conversations,
        // Changes wait until the client has the messages.
        changes: hasMore
          ? []
          : mine.flatMap(({ id: conversationId, messages }) =>
              messages
                .filter(
                  ({ changeSeq }) => changeSeq > (changesAfter[conversationId] ?? Number.POSITIVE_INFINITY),
                )
                .sort((a, b) => a.changeSeq - b.changeSeq)
                .map((message) => ({ conversationId, changeSeq: message.changeSeq, message })),
            ),
        recalled: mine.flatMap(({ id, recalledAt }) =>
          [...recalledAt]
            .filter(([, time]) => time > since - overlap)
            .map(([seqId]) => ({ conversationId: id, seqId })),
        ),
        removed: Object.keys(cursors).filter((id) => kept.get(id)?.isMember !== true),
        hasMore,
        serverTime: clock,
      };
    },
  };
}

export type PretendServer = ReturnType<typeof createPretendServer>;
