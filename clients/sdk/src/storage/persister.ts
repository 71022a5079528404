import { type ConversationState, newConversation, usuallyKept } from '../model/conversation-state.ts';
import type { State } from '../model/input.ts';
import { emptyState } from '../model/model.ts';
import type { Outgoing } from '../model/outgoing.ts';
import { newId } from '../transport/ids.ts';
import type { Credentials, HeldSession } from '../transport/tokens.ts';
import type { Conversation, Message, User } from '../wire/wire.ts';
import type { Guard, Place } from './place.ts';

/** What a client finds when it starts. */
export interface Stored {
  devices: string[] | undefined;
  held: HeldSession | undefined;
  state: State;
}

export interface PersisterDeps {
  /** Whose client it is: what several users store in one browser is kept apart. */
  url: string;
  credentials: Credentials;
  state: State;
  onError(error: unknown): void;
}

export interface Persister {
  /** What is stored; undefined if nothing is ever stored. */
  load(): Promise<Stored | undefined>;
  /** Says that these conversations may differ from what is stored. They are written soon. */
  changed(conversationIds: Iterable<string>): void;
  /** Writes everything that differs from what is stored. */
  flush(): Promise<void>;
  put(key: 'devices' | 'held', value: unknown): void;
  /** Makes this client the only one whose writes are taken. */
  claim(): Promise<void>;
  clear(): Promise<void>;
}

/** Changes that come within this time are written together. */
const delayMs = 50;

type StoredConversation = Pick<ConversationState, 'cursor' | 'changeSeq' | 'reads'> & {
  conversation: Conversation;
};

/**
 * Stores the state of the model: a conversation without its messages, each message, each send of the outbox, each draft
 * as an entry of its own, so that a write is as small as the change.
 */
export function createPersister(storage: Place, deps: PersisterDeps): Persister {
  const { state, onError } = deps;
  const written = new Map<string, ConversationState>();
  const waiting = new Map<string, unknown>();
  /** Entries that are compared by value, as they were written. */
  const known = new Map<string, unknown>();
  const dirty = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last: Promise<void> = Promise.resolve();
  let guard: Guard | undefined;

  function soon(): void {
    timer ??= setTimeout(() => {
      flush().catch(onError);
    }, delayMs);
  }

  function putIfChanged(key: string, value: unknown): void {
    if (known.get(key) === value) return;
    if (value === undefined) known.delete(key);
    else known.set(key, value);
    waiting.set(key, value);
  }

  function collect(): void {
    putIfChanged('me', state.me);
    putIfChanged('since', state.since);
    putIfChanged('uncertain', state.uncertain);
    for (const id of dirty) {
      collectConversation(id, state.conversations.get(id));
      putIfChanged(`draft/${id}`, state.drafts.get(id));
      putIfChanged(`read/${id}`, state.untoldReads.get(id));
    }
    dirty.clear();
    const sends = new Map(state.outbox.map((one) => [`send/${one.clientMsgId}`, one]));
    for (const key of known.keys())
      if (key.startsWith('send/') && !sends.has(key)) putIfChanged(key, undefined);
    for (const [key, outgoing] of sends) putIfChanged(key, outgoing);
  }

  function collectConversation(id: string, next: ConversationState | undefined): void {
    const before = written.get(id);
    if (before === next) return;
    const keyOf = ({ seqId }: Message) => `message/${id}/${seqId}`;
    const kept = next?.messages.slice(-usuallyKept) ?? [];
    const was = new Map(before?.messages.slice(-usuallyKept).map((message) => [message.seqId, message]));
    for (const message of kept) {
      if (was.get(message.seqId) !== message) waiting.set(keyOf(message), message);
      was.delete(message.seqId);
    }
    for (const message of was.values()) waiting.set(keyOf(message), undefined);
    if (next) {
      const { conversation, cursor, changeSeq, reads } = next;
      const stored: StoredConversation = { conversation, cursor, changeSeq, reads };
      waiting.set(`conversation/${id}`, stored);
      written.set(id, next);
    } else {
      waiting.set(`conversation/${id}`, undefined);
      written.delete(id);
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    collect();
    if (waiting.size === 0) return last;
    const changes = new Map(waiting);
    waiting.clear();
    last = last.catch(() => undefined).then(() => write(changes));
    return last;
  }

  async function write(changes: ReadonlyMap<string, unknown>): Promise<void> {
    try {
      await storage.write(changes, guard);
    } catch (error) {
      // The next write tries these again, unless there are newer values.
      for (const [key, value] of changes) if (!waiting.has(key)) waiting.set(key, value);
      throw error;
    }
  }

  return {
    async load() {
      const entries = await storage.read();
      const state = stateOf(entries);
      for (const [id, one] of state.conversations) written.set(id, one);
      for (const [key, value] of entries) if (!/^(conversation|message)\//.test(key)) known.set(key, value);
      return {
        devices: entries.get('devices') as string[] | undefined,
        held: entries.get('held') as HeldSession | undefined,
        state,
      };
    },
    changed(ids) {
      for (const id of ids) dirty.add(id);
      soon();
    },
    flush,
    put(key, value) {
      putIfChanged(key, value);
      soon();
    },
    async claim() {
      const value = newId();
      await storage.write(new Map([['writer', value]]));
      guard = { key: 'writer', value };
    },
    async clear() {
      clearTimeout(timer);
      timer = undefined;
      for (const all of [waiting, known, written, dirty]) all.clear();
      await last.catch(() => undefined);
      await storage.clear();
      if (guard) await storage.write(new Map([[guard.key, guard.value]]));
    },
  };
}

function stateOf(entries: ReadonlyMap<string, unknown>): State {
  const state = emptyState();
  state.me = entries.get('me') as User | undefined;
  state.since = entries.get('since') as number | undefined;
  state.uncertain = (entries.get('uncertain') as string[] | undefined) ?? [];
  const messages = new Map<string, Message[]>();
  const outbox: Outgoing[] = [];
  for (const [key, value] of entries) {
    const [kind, id = ''] = key.split('/');
    if (kind === 'message') {
      const some = messages.get(id);
      if (some) some.push(value as Message);
      else messages.set(id, [value as Message]);
    }
    if (kind === 'send') outbox.push(value as Outgoing);
    if (kind === 'draft') state.drafts.set(id, value as string);
    if (kind === 'read') state.untoldReads.set(id, value as number);
  }
  for (const [key, value] of entries) {
    if (!key.startsWith('conversation/')) continue;
    const { conversation, cursor, changeSeq, reads } = value as StoredConversation;
    const held = (messages.get(conversation.id) ?? []).sort((a, b) => a.seqId - b.seqId);
    state.conversations.set(conversation.id, {
      ...newConversation(conversation, cursor),
      messages: held,
      changeSeq,
      reads,
    });
  }
  // Sends that were under way when the client stopped are sent again, in their order.
  state.outbox = outbox
    .sort((a, b) => a.order - b.order)
    .map((one) => (one.status === 'sending' ? { ...one, status: 'queued' } : one));
  return state;
}
