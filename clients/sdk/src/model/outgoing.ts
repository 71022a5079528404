import type { Message, User } from '../wire/wire.ts';

/** Why a send failed, as it is stored. */
export interface Failure {
  code: string;
  message: string;
}

/** The send with this id, if the outbox has it. */
export const sendOf = (outbox: readonly Outgoing[], id: string): Outgoing | undefined =>
  outbox.find(({ clientMsgId }) => clientMsgId === id);

export type OutgoingStatus = 'queued' | 'sending' | 'failed';

/** A message that this client sends and that is not known to be stored yet. */
export interface Outgoing {
  readonly clientMsgId: string;
  readonly conversationId: string;
  readonly content: string;
  readonly messageType: number;
  readonly replyToSeqId?: number;
  readonly mentions?: string[];
  readonly metadata?: Record<string, unknown>;
  /** Sends of this client are numbered in the order in which they were made. */
  readonly order: number;
  /** Unix milliseconds of this device. */
  readonly createdAt: number;
  readonly status: OutgoingStatus;
  readonly failure?: Failure;
}

/** A message as a conversation shows it. One that waits in the outbox has a `status`, and no id and seqId yet (0). */
export type ShownMessage = Message & { status?: OutgoingStatus; error?: Failure };

/** The message that an outgoing one becomes when it is stored. */
export function asStored(
  { status: _, failure: __, order: ___, ...body }: Outgoing,
  me: User,
  stored: { messageId: number; seqId: number; createdAt: number },
): Message {
  const { id, username, displayName, avatarUrl } = me;
  return {
    ...body,
    id: stored.messageId,
    seqId: stored.seqId,
    sender: { id, username, displayName, avatarUrl },
    deleted: false,
    createdAt: stored.createdAt,
    changeSeq: 0,
  };
}

export const asShown = (outgoing: Outgoing, me: User): ShownMessage => ({
  ...asStored(outgoing, me, { messageId: 0, seqId: 0, createdAt: outgoing.createdAt }),
  status: outgoing.status,
  ...(outgoing.failure ? { error: outgoing.failure } : {}),
});
