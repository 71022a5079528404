import type { RecordBody } from '../domain/message-body.ts';
import type { Code } from '../errors.ts';
import type { ServerFrameData } from '../wire/frames.ts';

/** What gateways (and logic, for REST sends) append to gochat.messages.upstream. */
export type UpstreamMessage = RecordBody & {
  user_id: string;
  conversation_id: string;
  /** When it was received, Unix milliseconds. */
  timestamp: number;
  /** Whose downstream topic gets the acknowledgement, which start of it, and for which socket session. */
  gateway_id: string;
  gateway_boot_id: string;
  session_id: string;
};

/** A conversation's event on the upstream topic: it takes the messages' way, so that it overtakes none of them. */
export type UpstreamEvent = { event: OrderedEvent };

/** What happened, as storage knows it. `lib/wire/ordered-frames.ts` says what clients are shown of it. */
export type OrderedEvent = {
  event_id: string;
  conversation_id: string;
  /** Who did it: "0" for the operators, empty when nobody did. */
  actor_id: string;
  /** Users reached besides the members: those removed. */
  extra_user_ids: string[];
} & (
  | { type: 'conversation.updated'; conversation: ConversationFacts }
  | { type: 'conversation.dissolved' }
  | { type: 'conversation.member.added'; members: MemberFacts[] }
  /** `last_seq_id`: the last message that was stored before it. */
  | { type: 'conversation.member.removed'; user_ids: string[]; last_seq_id: number }
  | { type: 'message.recalled'; message_id: number; seq_id: number }
);

/** A conversation right after a change, without what differs by member. */
export type ConversationFacts = {
  type: number;
  name: string;
  avatar_url: string;
  description: string;
  announcement: string;
  /** Empty when it has none. */
  owner_id: string;
  member_count: number;
  last_seq_id: number;
  invite_by: string;
  mute_all: boolean;
  max_members: number;
  created_at: number;
  updated_at: number;
};

/** A member who has just been added. */
export type MemberFacts = {
  user_id: string;
  username: string;
  display_name: string;
  avatar_url: string;
  is_guest: boolean;
  created_at: number;
  role: number;
  muted: boolean;
  joined_at: number;
};

/** The frames that take the way of a conversation's messages. */
export type OrderedFrameType =
  | 'conversation-updated'
  | 'conversation-dissolved'
  | 'member-added'
  | 'member-removed'
  | 'message-recalled';

/** A WebSocket frame's type and its data. */
type FrameAndData<T extends keyof ServerFrameData> = { [F in T]: { frame: F; data: ServerFrameData[F] } }[T];

/** An ordered event as clients are shown it, and whom it reaches besides the members. */
export type OrderedFrame = FrameAndData<OrderedFrameType> & {
  event_id: string;
  conversation_id: string;
  extra_user_ids: string[];
  /** Of member-removed: the last message that was stored before it. */
  last_seq_id?: number;
};

export type UpstreamRecord = UpstreamMessage | UpstreamEvent;

export type SenderInfo = { id: string; username: string; display_name: string; avatar_url: string };

export type DownstreamMessage = RecordBody & {
  /** One of the three: a single user, several, or everyone on the gateway. */
  target_user_id?: string;
  target_user_ids?: string[];
  broadcast?: boolean;
  message_id: number;
  conversation_id: string;
  sender_info: SenderInfo;
  seq_id: number;
  created_at: number;
  /** Those of the targets who joined a moment ago: the message waits until they were told so. */
  newcomer_ids?: string[];
  /** Sending is reading: those of the targets who are told, behind the message, that its sender has read up to it. */
  read_for?: string[];
  /** Recalled before it was delivered: its content is empty. */
  deleted?: boolean;
};

export type DownstreamAck = {
  session_id: string;
  conversation_id: string;
  client_msg_id: string;
  message_id: number;
  seq_id: number;
  created_at: number;
  duplicate: boolean;
  /** Set when the message was refused; the numbers are 0 then. */
  error?: { code: Code; message: string };
};

export type DownstreamEvent = FrameAndData<OrderedFrameType | 'typing-indicator'> & {
  event_id: string;
  target_user_ids?: string[];
  broadcast?: boolean;
  exclude_session_id?: string;
  /** The conversation that it belongs to the order of, and those of the targets who joined it a moment ago. */
  conversation_id?: string;
  newcomer_ids?: string[];
  /** Of member-removed: the last message that was stored before it. */
  last_seq_id?: number;
};

/**
 * One record a batch and gateway: its messages are taken first, then acks, then events. A record for another boot
 * than the receiver's is dropped.
 */
export type DownstreamRecord = {
  gateway_boot_id: string;
  messages: DownstreamMessage[];
  acks: DownstreamAck[];
  events: DownstreamEvent[];
};

/** Work for the fan-out flow: seq ids, never content. */
export type FanoutTask = {
  conversation_id: string;
  first_seq_id: number;
  last_seq_id: number;
  /** When the first of them was received, Unix milliseconds. */
  sent_at: number;
};

/** What every record of the *-events topics has. */
type EventBase<T extends string> = {
  event_id: string;
  type: T;
  /** Unix milliseconds. */
  occurred_at: number;
  /** Who caused it; empty when nobody did. */
  actor_id: string;
};

export type FriendEvent =
  | (EventBase<
      | 'friend.request.created'
      | 'friend.request.withdrawn'
      | 'friend.request.expired'
      | 'friend.request.rejected'
    > & {
      request_id: string;
      requester_id: string;
      target_id: string;
    })
  | (EventBase<'friend.request.accepted'> & {
      request_id: string;
      requester_id: string;
      target_id: string;
      conversation_id: string;
      /** Of the event that says that the acceptance created the conversation, if it did. */
      created_event_id?: string;
    })
  | (EventBase<'friend.removed' | 'friend.blocked' | 'friend.unblocked'> & {
      user_id: string;
      friend_id: string;
    });

export type ConversationEvent =
  | (EventBase<'conversation.created'> & {
      conversation_id: string;
      conversation_type: number;
      /** The first members. */
      member_ids: string[];
      /** The friend request whose acceptance created it, if one did: friend.request.accepted names this event. */
      friend_request_id?: string;
    })
  | (EventBase<'conversation.updated' | 'conversation.dissolved'> & { conversation_id: string })
  | (EventBase<
      'conversation.member.added' | 'conversation.member.removed' | 'conversation.member.updated'
    > & {
      conversation_id: string;
      user_ids: string[];
    });

export type MessageEvent =
  | (EventBase<'message.read'> & {
      conversation_id: string;
      seq_id: number;
      /** Senders of the messages newly read, the reader left out. Empty above 500 members. */
      sender_ids: string[];
      /** The socket session that read; empty for a REST call. */
      session_id: string;
    })
  | (EventBase<'message.recalled'> & { conversation_id: string; message_id: number; seq_id: number });

export type UserEvent =
  | (EventBase<'user.online' | 'user.offline' | 'user.disconnected'> & {
      user_id: string;
      epoch: string;
      last_active_at: number;
    })
  | (EventBase<'user.updated' | 'user.created' | 'user.erased'> & { user_id: string });

export type DomainEvent = FriendEvent | ConversationEvent | MessageEvent | UserEvent;

/** A record that no consumer could process, for a person to look at. */
export type DeadRecord = {
  topic: string;
  partition: number;
  offset: string;
  error: string;
  /** As text, to be read: what is no UTF-8 is U+FFFD, and a long record is cut. */
  record: string;
  /** The bytes as they were. */
  record_base64: string;
};
