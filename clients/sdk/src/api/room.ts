import { usuallyKept } from '../model/conversation-state.ts';
import type { Input, State } from '../model/input.ts';
import type { Outgoing } from '../model/outgoing.ts';
import type { Api } from '../transport/api.ts';
import { GoChatError } from '../transport/errors.ts';
import { allPages } from '../transport/pages.ts';
import type { Member } from '../wire/wire.ts';
import type { Actions } from './actions.ts';
import { createSubscribers } from './emitter.ts';
import type { Sends, Sent } from './sends.ts';
import type { StoredFile, UploadOptions } from './uploads.ts';
import type { RoomSnapshot, Views } from './views.ts';

/** A file on its way to the server. */
export interface Upload {
  /** Resolves when the server has the file: then messages can carry it. */
  readonly done: Promise<StoredFile>;
  /** Undefined until then. */
  readonly file: StoredFile | undefined;
}

export interface NewMessage {
  /** May be left out if there are files. */
  text?: string;
  /** Finished uploads. Each becomes a message of its own, before the text. */
  files?: readonly (Upload | StoredFile)[];
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
  /** Of several messages, as of files, the last one is returned: when it is stored, the others are as well. */
  send(message: NewMessage): Sent;
  upload(blob: Blob, options?: UploadOptions): Upload;
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

const typingEveryMs = 3_000;

/** Images have a type of message of their own. */
function bodyOfFile(one: Upload | StoredFile) {
  const file = 'done' in one ? one.file : one;
  if (!file) throw new GoChatError('INVALID_ARGUMENT', 'The upload is not done.');
  return { messageType: /^image/.test(file.mime) ? 2 : 3, content: JSON.stringify(file) };
}

/** A copy without the fields that are undefined. */
const plain = <T>(fields: T): T => JSON.parse(JSON.stringify(fields));

export interface RoomDeps {
  state: State;
  api: Api;
  actions: Actions['messages'] & Actions['history'] & Actions['uploads'];
  views: Views;
  sends: Sends;
  dispatch(input: Input): Promise<void>;
  typing(conversationId: string): void;
  newClientMsgId(): string;
}

export function createRoom(id: string, deps: RoomDeps): Room & { notify(): void } {
  const { state, api, actions, views, sends, dispatch } = deps;
  const subscribers = createSubscribers();
  let typedAt = 0;

  const known = () => state.conversations.get(id);

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
    loadOlder: () => actions.loadOlder(id),
    jumpTo: (seqId) => actions.jumpTo(id, seqId),
    async loadMembers() {
      const all = await allPages(
        (query) => api('GET /conversations/{id}/members', { path: { id }, query }),
        'members',
      );
      views.setMembers(id, all);
      subscribers.notify();
      return all;
    },
    send({ text, files = [], replyTo, mentions, metadata }) {
      const replyToSeqId = typeof replyTo === 'object' ? replyTo.seqId : replyTo;
      const queue = (body: Pick<Outgoing, 'messageType' | 'content'>, more = {}) =>
        sends.send({
          clientMsgId: deps.newClientMsgId(),
          conversationId: id,
          ...body,
          ...plain({ replyToSeqId, ...more }),
          order: 0,
          createdAt: Date.now(),
          status: 'queued',
        });
      const bodies = files.map(bodyOfFile);
      const last = (text === undefined && bodies.pop()) || { messageType: 1, content: text ?? '' };
      for (const body of bodies) queue(body);
      return queue(last, { mentions, metadata });
    },
    upload(blob, options) {
      const done = actions.upload(blob, options);
      const upload: { done: typeof done; file: StoredFile | undefined } = { done, file: undefined };
      done.then(
        (file) => {
          upload.file = file;
        },
        () => {},
      );
      return upload;
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
