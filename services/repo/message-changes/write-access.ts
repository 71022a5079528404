import {
  conversationStatus,
  conversationType,
  memberRole,
  sendState,
} from '../../../lib/domain/enumerations.ts';
import { conversationNotFound } from '../../../lib/domain/refusals.ts';
import { GoChatError } from '../../../lib/errors.ts';
import { notMember } from '../rows/conversation-access.ts';
import { isTrue } from '../storage/sql.ts';

/** What decides, besides the membership, whether a user may write in a conversation. */
export type WriteGate = { type: number; status: number; mute_all: number; send_state: number };

export type Writer = { role: number; muted: number };

const errors = {
  notFound: conversationNotFound,
  notMember,
  notFriends: () => new GoChatError('NOT_FRIENDS', 'You are not friends.'),
  blocked: () => new GoChatError('BLOCKED', 'One of you has blocked the other.'),
  muted: () => new GoChatError('MEMBER_MUTED', 'You are muted in this conversation.'),
};

export type WriteRefusal = keyof typeof errors;

export const writeRefusals = Object.keys(errors) as WriteRefusal[];

export const writeError = (refusal: WriteRefusal): GoChatError => errors[refusal]();

/** Why a user may not write in a conversation now; undefined if the user may. `member` is the user's membership. */
export function writeRefusal(
  conversation: WriteGate | undefined,
  member: Writer | undefined,
): WriteRefusal | undefined {
  if (conversation?.status !== conversationStatus.active) return 'notFound';
  if (!member) return 'notMember';
  if (conversation.type === conversationType.single) {
    if (conversation.send_state === sendState.notFriends) return 'notFriends';
    if (conversation.send_state === sendState.blocked) return 'blocked';
  }
  const silenced = isTrue(conversation.mute_all) && member.role === memberRole.member;
  return isTrue(member.muted) || silenced ? 'muted' : undefined;
}

/** Throws the error of the refusal if the user may not write in the conversation now. */
export function requireWriter(conversation: WriteGate | undefined, member: Writer | undefined): void {
  const refusal = writeRefusal(conversation, member);
  if (refusal !== undefined) throw writeError(refusal);
}
