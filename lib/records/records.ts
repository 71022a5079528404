// Room: what the records on Kafka's topics say, how downstream records are written, and how records become frames.
// How records travel is lib/kafka's; no client library and no I/O here.

import type { RecordBody } from '../domain/message-body.ts';
import type { Code } from '../errors.ts';
import type { ServerFrameData } from '../wire/frames.ts';

/** A message that a gateway (or logic, for REST sends) appends to gochat.messages.upstream. */
export type UpstreamMessage = RecordBody & {
  user_id: string;
  conversation_id: string;
  /** When the gateway received it, Unix milliseconds. */
  timestamp: number;
  /** The addressee of the acknowledgement: the receiver, its boot id, and the socket session. */
  gateway_id: string;
  gateway_boot_id: string;
  session_id: string;
};

/** An event of a conversation on the upstream topic. It follows the path of messages, to keep its order with them. */
export type UpstreamEvent = { event: OrderedEvent };

/**
 * A change of a conversation, as im-repo stored it. `lib/records/ordered-frames.ts` converts it to a frame for clients.
 */
export type OrderedEvent = {
  event_id: string;
  conversation_id: string;
  /** The id of the user who did it; "0" for the operators, empty if nobody did. */
  actor_id: string;
  /** Users who get the event besides the members: those removed. */
  extra_user_ids: string[];
} & (
  | { type: 'conversation.updated'; conversation: ConversationFacts }
  | { type: 'conversation.dissolved' }
  | { type: 'conversation.member.added'; members: MemberFacts[] }
  /** `last_seq_id`: the seq id of the last message stored before the removal. */
  | { type: 'conversation.member.removed'; user_ids: string[]; last_seq_id: number }
  | { type: 'message.recalled'; message_id: number; seq_id: number }
  /** `reacted`: present if the change tells of reactions. */
  | { type: 'message.changed'; change_seq: number; message: MessageFacts; reacted?: ReactedFacts[] }
);

/** A user reacted to a message, or took the reaction away. */
export type ReactedFacts = { user_id: string; emoji: string; on: boolean };

/** A conversation right after a change, without the fields that differ by member. */
export type ConversationFacts = {
  type: number;
  name: string;
  avatar_url: string;
  description: string;
  announcement: string;
  /** Empty if the conversation has no owner. */
  owner_id: string;
  member_count: number;
  last_seq_id: number;
  /** Absent in records of earlier versions. */
  last_change_seq?: number;
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

/** The types of frames that keep their order with a conversation's messages. */
export type OrderedFrameType =
  | 'conversation-updated'
  | 'conversation-dissolved'
  | 'member-added'
  | 'member-removed'
  | 'message-recalled'
  | 'message-changed';

/** A WebSocket frame's type and its data. */
type FrameAndData<T extends keyof ServerFrameData> = { [F in T]: { frame: F; data: ServerFrameData[F] } }[T];

/** An ordered event as a frame for clients, and the users who get it besides the members. */
export type OrderedFrame = FrameAndData<OrderedFrameType> & {
  event_id: string;
  conversation_id: string;
  extra_user_ids: string[];
  /** For member-removed only: the seq id of the last message stored before the removal. */
  last_seq_id?: number;
};

export type UpstreamRecord = UpstreamMessage | UpstreamEvent;

export type SenderInfo = { id: string; username: string; display_name: string; avatar_url: string };

/** A message as it is stored. */
export type MessageFacts = RecordBody & {
  message_id: number;
  conversation_id: string;
  sender_info: SenderInfo;
  seq_id: number;
  created_at: number;
  /** True if the message was recalled. Its content is empty then. */
  deleted?: boolean;
  /** Absent if the message never changed. */
  change_seq?: number;
  edited_at?: number;
  reactions?: { emoji: string; count: number; user_ids: string[] }[];
  pinned?: boolean;
};

export type DownstreamMessage = MessageFacts & {
  /** Exactly one of these three is set: a single user, several users, or all users of the gateway. */
  target_user_id?: string;
  target_user_ids?: string[];
  broadcast?: boolean;
  /** Users who joined recently: the gateway holds the message back until they have got their `member-added`. */
  newcomer_ids?: string[];
  /** Targets who get a read receipt right after the message: sending a message marks all before it as read. */
  read_for?: string[];
};

export type DownstreamAck = {
  session_id: string;
  conversation_id: string;
  client_msg_id: string;
  message_id: number;
  seq_id: number;
  created_at: number;
  duplicate: boolean;
  /** Set if the message was refused. The numbers are 0 then. */
  error?: { code: Code; message: string };
};

export type DownstreamEvent = FrameAndData<OrderedFrameType | 'typing-indicator'> & {
  event_id: string;
  target_user_ids?: string[];
  broadcast?: boolean;
  exclude_session_id?: string;
  /** The conversation with whose messages the event keeps its order, and users who joined the conversation recently. */
  conversation_id?: string;
  newcomer_ids?: string[];
  /** For member-removed only: the seq id of the last message stored before the removal. */
  last_seq_id?: number;
};

/**
 * One record per batch and receiver. The receiver handles its messages first, then its acks, then its events. It drops
 * a record whose boot id is not its own.
 */
export type DownstreamRecord = {
  gateway_boot_id: string;
  messages: DownstreamMessage[];
  acks: DownstreamAck[];
  events: DownstreamEvent[];
};

/**
 * A range of messages for the fan-out flow. It has seq ids only, since content must not get into workflow histories.
 */
export type FanoutTask = {
  conversation_id: string;
  first_seq_id: number;
  last_seq_id: number;
  /** When a gateway received the first of these messages, Unix milliseconds. */
  sent_at: number;
};

/**
 * Messages that were stored together: what other systems follow. It has seq ids only; a system that may see content
 * reads it by these.
 */
export type MessagesStored = {
  event_id: string;
  /** Unix milliseconds. */
  occurred_at: number;
  /** Both ends are included. A conversation has several entries if its messages are not consecutive. */
  conversations: { conversation_id: string; first_seq_id: number; last_seq_id: number }[];
};

/** The fields of every record in the *-events topics. */
type EventBase<T extends string> = {
  event_id: string;
  type: T;
  /** Unix milliseconds. */
  occurred_at: number;
  /** The id of the user who caused it; empty if nobody did. */
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
      /** The id of the conversation.created event, if the acceptance created the conversation. */
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
      /** The friend request whose acceptance created the conversation, if any. Its event names this event. */
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
      /** Senders of the messages newly read, without the reader. Empty for more than 500 members. */
      sender_ids: string[];
      /** The socket session that sent the read pointer; empty for a REST call. */
      session_id: string;
    })
  | (EventBase<'message.recalled' | 'message.edited'> & {
      conversation_id: string;
      message_id: number;
      seq_id: number;
    })
  /** `actor_id` is empty if several users reacted. */
  | (EventBase<'message.reacted'> & {
      conversation_id: string;
      message_id: number;
      seq_id: number;
      reacted: ReactedFacts[];
    })
  | (EventBase<'message.pinned'> & {
      conversation_id: string;
      message_id: number;
      seq_id: number;
      /** False if the message was unpinned. */
      pinned: boolean;
    });

export type UserEvent =
  | (EventBase<'user.online' | 'user.offline' | 'user.disconnected'> & {
      user_id: string;
      epoch: string;
      last_active_at: number;
    })
  | (EventBase<'user.updated' | 'user.created' | 'user.erased'> & { user_id: string });

export type DomainEvent = FriendEvent | ConversationEvent | MessageEvent | UserEvent;

/** A record that could not be processed, kept for operators to inspect. */
export type DeadRecord = {
  topic: string;
  partition: number;
  offset: string;
  error: string;
  /** The value as text for people. Bytes that are no UTF-8 are shown as U+FFFD, and a long text is cut. */
  record: string;
  /** The unchanged bytes of the value, cut if they are too long. */
  record_base64: string;
};
