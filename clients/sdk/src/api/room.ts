import { firstSeqOf, usuallyKept } from '../model/conversation-state.ts';
import type { Input, State } from '../model/input.ts';
import type { Api } from '../transport/api.ts';
import { allPages } from '../transport/pages.ts';
import type { Member } from '../wire/wire.ts';
import type { Actions } from './actions.ts';
import { createSubscribers } from './emitter.ts';
import type { Sends, Sent } from './sends.ts';
import type { RoomSnapshot, Views } from './views.ts';

export interface NewMessage {
  text: string;
  /** The message that this one answers, or its seqId. */
  replyTo?: number | { seqId: number };
  /** Ids of the users mentioned. */
  mentions?: string[];
  /** Any JSON object, up to 4 KiB as text. */
  metadata?: Record<string, unknown>;
}

/** One conversation. It works offline, and for a conversation that the client does not know yet. */
export interface Room {
  readonly id: string;
  get(): RoomSnapshot;
  subscribe(fn: () => void): () => void;
  /** Loads a page of older messages. Resolves to false if there are none. */
  loadOlder(): Promise<boolean>;
  /** Loads older messages until this one is there. Resolves to false if it is not there to be had. */
  jumpTo(seqId: number): Promise<boolean>;
  loadMembers(): Promise<readonly Member[]>;
  send(message: NewMessage): Sent;
  /** The send with this id, to retry or discard it: of this run or an earlier one. */
  sent(clientMsgId: string): Sent;
  /** Marks messages as read: up to this one, or all. */
  markRead(seqId?: number): void;
  /** Tells the others that the user is typing. May be called at every key. */
  typing(): void;
  readonly draft: { get(): string; set(text: string): void };
  edit(messageId: number, change: { text?: string; metadata?: Record<string, unknown> }): Promise<void>;
  recall(messageId: number): Promise<void>;
  react(messageId: number, emoji: string): Promise<void>;
  unreact(messageId: number, emoji: string): Promise<void>;
}

const pageSize = 50;
const largestPage = 200;
const typingEveryMs = 3_000;

/** A copy without the fields that are undefined. */
const plain = <T>(fields: T): T => JSON.parse(JSON.stringify(fields));

export interface RoomDeps {
  state: State;
  api: Api;
  actions: Actions['messages'];
  views: Views;
  sends: Sends;
  dispatch(input: Input): Promise<void>;
  typing(conversationId: string): void;
  newClientMsgId(): string;
}

export function createRoom(id: string, deps: RoomDeps): Room & { notify(): void } {
  const { state, api, actions, views, sends, dispatch } = deps;
  const subscribers = createSubscribers();
  let loading: Promise<boolean> | undefined;
  let typedAt = 0;

  const known = () => state.conversations.get(id);
  const firstSeq = () => {
    const one = known();
    return one ? firstSeqOf(one) : 1;
  };

  async function loadPage(limit: number): Promise<boolean> {
    const beforeSeq = firstSeq();
    if (beforeSeq <= 1) return false;
    const changeSeq = known()?.changeSeq;
    const { messages } = await api('GET /conversations/{id}/messages', {
      path: { id },
      query: { beforeSeq, limit },
    });
    // A change that came meanwhile may be missing in the page, and would never come again.
    if (known()?.changeSeq !== changeSeq) return loadPage(limit);
    await dispatch({ type: 'older', conversationId: id, messages });
    return firstSeq() < beforeSeq;
  }

  /** Two who ask at the same time get the same page. */
  function load(limit: number): Promise<boolean> {
    loading ??= loadPage(limit).finally(() => {
      loading = undefined;
    });
    return loading;
  }

  return {
    id,
    get: () => views.room(id),
    subscribe(fn) {
      const unsubscribe = subscribers.subscribe(fn);
      return () => {
        unsubscribe();
        // Nobody looks any more: what was loaded for looking goes.
        const isLarge = (known()?.kept ?? usuallyKept) > usuallyKept;
        if (subscribers.size() === 0 && isLarge)
          dispatch({ type: 'trimmed', conversationId: id }).catch(() => {});
      };
    },
    notify: subscribers.notify,
    loadOlder: () => load(pageSize),
    async jumpTo(seqId) {
      while (firstSeq() > seqId) if (!(await load(largestPage))) return false;
      return known()?.messages.some((message) => message.seqId === seqId) ?? false;
    },
    async loadMembers() {
      const all = await allPages(
        (query) => api('GET /conversations/{id}/members', { path: { id }, query }),
        'members',
      );
      views.setMembers(id, all);
      subscribers.notify();
      return all;
    },
    send({ text, replyTo, mentions, metadata }) {
      const replyToSeqId = typeof replyTo === 'object' ? replyTo.seqId : replyTo;
      return sends.send({
        clientMsgId: deps.newClientMsgId(),
        conversationId: id,
        content: text,
        messageType: 1,
        ...plain({ replyToSeqId, mentions, metadata }),
        order: 0,
        createdAt: Date.now(),
        status: 'queued',
      });
    },
    sent: (clientMsgId) => sends.handle(clientMsgId),
    markRead(seqId = known()?.conversation.lastSeqId ?? 0) {
      dispatch({ type: 'read', conversationId: id, seqId }).catch(() => {});
    },
    typing() {
      const now = Date.now();
      if (now - typedAt < typingEveryMs) return;
      typedAt = now;
      deps.typing(id);
    },
    draft: {
      get: () => state.drafts.get(id) ?? '',
      set(text) {
        dispatch({ type: 'draft', conversationId: id, text }).catch(() => {});
      },
    },
    edit: (messageId, change) => actions.edit(id, messageId, change),
    recall: (messageId) => actions.recall(id, messageId),
    react: (messageId, emoji) => actions.react(id, messageId, emoji),
    unreact: (messageId, emoji) => actions.unreact(id, messageId, emoji),
  };
}
