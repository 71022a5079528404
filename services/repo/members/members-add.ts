// Room: a conversation's members: they are added, removed, muted, promoted and listed, and make their own choices.
// The texts and settings of the conversation itself may not come in.

import { conversationStatus, inviters, memberRole } from '../../../lib/domain/enumerations.ts';
import { conversationNotFound } from '../../../lib/domain/refusals.ts';
import type {
  AddConversationMemberRequest,
  ConversationServiceService,
} from '../../../lib/gen/im_repo/v1/conversation.ts';
import type { User } from '../../../lib/gen/im_repo/v1/user.ts';
import type { UnaryHandlers } from '../../../lib/grpc/definition.ts';
import type { MemberFacts } from '../../../lib/records/records.ts';
import type { Cache } from '../cache/cache.ts';
import { membersAdded } from '../conversation-changes/conversation-events.ts';
import {
  denied,
  type LockedConversation,
  lockRow,
  type Members,
  requireGroup,
  requireGroupMember,
} from '../conversation-changes/conversation-lock.ts';
import {
  type FormerMember,
  forgetFormerMembers,
  readFormerMembers,
} from '../conversation-changes/former-members.ts';
import {
  conversationKeys,
  countMembers,
  insertMembers,
  memberKeys,
} from '../conversation-changes/member-rows.ts';
import { actorIdOf, readUnwilling, refuseBlockers, userIdsOf } from '../conversation-changes/newcomers.ts';
import { groupFull } from '../conversations/group-conversation.ts';
import { createOperations, storeAnswer } from '../once/operations.ts';
import { insertEvents, type Outbox } from '../outbox/outbox.ts';
import { conversationIdOf } from '../rows/conversation-access.ts';
import { cardOf, type UserCards } from '../rows/user-cards.ts';
import type { Databases } from '../storage/databases.ts';

type Handlers = Pick<UnaryHandlers<typeof ConversationServiceService>, 'addConversationMember'>;

/**
 * Adds members to a group: all users who can be added, or none if the request fails. The head's lock keeps concurrent
 * calls from exceeding the group's limit.
 */
export function createMembersAdd(deps: {
  databases: Databases;
  cache: Cache;
  userCards: UserCards;
  outbox: Outbox;
}): Handlers {
  const { databases, cache, userCards, outbox } = deps;
  const operations = createOperations(deps);
  return {
    async addConversationMember(request) {
      const id = conversationIdOf(request.conversationId);
      const answer = await operations.once(id, request.operationId, () => add(request, id));
      // Answers stored by earlier versions have no `refused`.
      return { ...answer, refused: answer.refused ?? [] };
    },
  };

  async function add(request: AddConversationMemberRequest, id: number): Promise<Answer> {
    const actorId = actorIdOf(request.actorId);
    const userIds = userIdsOf('user_ids', request.userIds);
    const inviterId = actorId === 0 ? actorIdOf(request.inviterId ?? '') : actorId;
    const unwilling = deferFailure(readUnwilling(databases, inviterId, userIds));
    const cards = await userCards.byIds(request.userIds);

    const result = await cache.change((touch) =>
      databases.messagesOf(id).transaction(async (tx) => {
        const locked = await lockRow(tx, id, actorId === 0 ? userIds : [actorId, ...userIds]);
        if (!locked) throw conversationNotFound();
        const { conversation, members } = locked;
        checkRights(conversation, members, actorId);
        const newcomers = userIds.filter((userId) => !members.has(userId));
        const { blockers, friendsOnly } = await unwilling();
        refuseBlockers(newcomers, blockers);
        const former = await readFormerMembers(tx, id, newcomers);
        const isOrdinary = (members.get(actorId)?.role ?? memberRole.owner) < memberRole.admin;
        const isRefused = (userId: number) =>
          friendsOnly.has(userId) || (isOrdinary && former.get(userId)?.removed === true);
        const added = newcomers.filter((userId) => !isRefused(userId));
        if (added.length > 0 && conversation.member_count + added.length > conversation.max_members) {
          throw groupFull(conversation.max_members);
        }
        const answer = {
          added: added.map(String),
          alreadyMembers: userIds.filter((userId) => members.has(userId)).map(String),
          refused: newcomers.filter(isRefused).map(String),
        };
        const stored = storeAnswer(id, request.operationId, answer);
        if (added.length === 0) {
          if (stored.length > 0) await tx.batchAndCommit(stored.join(';\n'));
          return answer;
        }

        const visible = conversation.status === conversationStatus.active;
        if (visible) await touch([...conversationKeys(id), ...memberKeys(added)]);
        const now = Date.now();
        const statements = [
          ...stored,
          ...insertMembers(
            id,
            added.map((userId) => ({ userId, role: memberRole.member, muted: isMuted(former, userId) })),
            conversation.last_seq_id,
            now,
          ),
          ...forgetFormerMembers(
            id,
            [...former.keys()].filter((userId) => added.includes(userId)),
          ),
          ...countMembers(id, added.length, now),
        ];
        if (actorId !== 0) {
          const newMembers = added.map((userId) =>
            newMember(cardOf(cards, String(userId)), isMuted(former, userId), now),
          );
          statements.push(insertEvents(membersAdded(id, request.actorId, newMembers)));
        }
        await tx.batchAndCommit(statements.join(';\n'));
        return answer;
      }),
    );
    outbox.wake();
    return result;
  }
}

type Answer = { added: string[]; alreadyMembers: string[]; refused?: string[] };

const isMuted = (former: ReadonlyMap<number, FormerMember>, userId: number): boolean =>
  former.get(userId)?.muted ?? false;

const newMember = (card: User, muted: boolean, joinedAt: number): MemberFacts => ({
  user_id: card.id,
  username: card.username,
  display_name: card.displayName,
  avatar_url: card.avatarUrl,
  is_guest: card.isGuest,
  created_at: card.createdAt,
  role: memberRole.member,
  muted,
  joined_at: joinedAt,
});

/**
 * Throws CONVERSATION_NOT_FOUND, NOT_CONVERSATION_MEMBER or PERMISSION_DENIED. Actor 0, the system itself, may also add
 * members to a group that is still being created.
 */
function checkRights(conversation: LockedConversation, members: Members, actorId: number): void {
  const { status } = conversation;
  if (actorId === 0) {
    if (status === conversationStatus.dissolved) throw conversationNotFound();
    requireGroup(conversation);
    return;
  }
  if (status !== conversationStatus.active) throw conversationNotFound();
  const { role } = requireGroupMember({ conversation, members }, actorId);
  if (role < memberRole.admin && conversation.invite_by !== inviters.members) {
    throw denied('Only the owner and admins can add members to this group.');
  }
}

/**
 * Keeps a failure until the result is asked for. Otherwise an actor without the right to add users would learn, for
 * example, which users exist.
 */
function deferFailure<T>(work: Promise<T>): () => Promise<T> {
  work.catch(() => undefined);
  return () => work;
}
