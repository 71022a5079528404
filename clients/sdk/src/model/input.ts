import type { Calls, Conversation, Message, ServerFrames, User } from '../wire/wire.ts';
import type { ConversationState } from './conversation-state.ts';
import type { Failure, Outgoing, OutgoingStatus } from './outgoing.ts';

export type SyncAnswer = Calls['POST /sync']['answer'] & { partial?: boolean };

/** A frame from the server; `type` decides the shape of `data`. A newer server may send types that are not known here. */
export type ServerFrame = {
  [T in keyof ServerFrames]: { type: T; data: ServerFrames[T]; timestamp?: number };
}[keyof ServerFrames];

/** Everything that the model remembers from one run of the client to the next. */
export interface State {
  me: User | undefined;
  /** `since` of the next sync; undefined before the first one. */
  since: number | undefined;
  conversations: Map<string, ConversationState>;
  outbox: readonly Outgoing[];
  /** Unfinished texts, by conversation id. */
  drafts: Map<string, string>;
  /** Reading that the server does not know of yet: seqIds by conversation id. */
  untoldReads: Map<string, number>;
  /** Ids of conversations of which only the server can tell what they are now: ask for each of them. */
  uncertain: readonly string[];
}

/** Whatever changes the model. Plain data, so that every tab can apply the same inputs in the same order. */
export type Input =
  | { type: 'signed-in'; user: User }
  | { type: 'frame'; frame: ServerFrame }
  /** The list of conversations of a client that has none yet. Its messages are history: nobody is told of them. */
  | { type: 'listed'; conversations: readonly Conversation[] }
  | { type: 'synced'; answer: SyncAnswer }
  /** A conversation as the server shows it now. */
  | { type: 'conversation'; conversation: Conversation }
  /** A message as the server shows it now. */
  | { type: 'message'; message: Message }
  | { type: 'conversation-gone'; conversationId: string }
  /** Something happened that leaves open what a conversation is now. */
  | { type: 'doubted'; conversationId: string }
  | { type: 'older'; conversationId: string; messages: readonly Message[] }
  | { type: 'trimmed'; conversationId: string }
  | { type: 'queued'; outgoing: Outgoing }
  /** `failure` is there if the send has failed. */
  | { type: 'send'; clientMsgId: string; status: OutgoingStatus; failure?: Failure }
  | { type: 'discarded'; clientMsgId: string }
  | { type: 'draft'; conversationId: string; text: string }
  | { type: 'read'; conversationId: string; seqId: number }
  | { type: 'read-told'; conversationId: string; seqId: number };

/** The events of a client and what they carry. */
export interface ModelEvents {
  message: Message;
  'message-changed': { conversationId: string; message: Message };
  'message-recalled': ServerFrames['message-recalled'];
  read: ServerFrames['message-read'];
  typing: ServerFrames['typing-indicator'];
  presence: ServerFrames['online-status'];
  conversation: { conversation: Conversation };
  'conversation-removed': { conversationId: string };
  'friend-request': ServerFrames['friend-request'];
  'friend-request-handled': ServerFrames['friend-request-handled'];
}

export type ModelEvent = { [T in keyof ModelEvents]: [type: T, data: ModelEvents[T]] }[keyof ModelEvents];

/** What an input changed. */
export interface Outcome {
  /** Ids of the conversations that look different now. */
  changed: Set<string>;
  events: ModelEvent[];
  /** Sends that are stored now. */
  stored: { clientMsgId: string; message: Message }[];
}
