import { conversationType } from '../lib/domain/enumerations.ts';
import { GoChatError } from '../lib/errors.ts';
import type { Relationship } from '../lib/gen/im_repo/v1/friendship.ts';
import type { RepoClient } from '../lib/grpc/clients.ts';
import type { Refusal } from '../workflows/contracts/refusal.ts';
import type { CreateGroupArgs } from '../workflows/create-group/contract.ts';
import { orFailure, orRefusal } from './outcome.ts';

type Done = { ok: true } | Refusal;

/** The steps of createGroup. Each step is idempotent: an existing group or an existing member counts as success. */
export function createCreateGroupActivities({ repo }: { repo: RepoClient }) {
  return {
    /** Checks that the owner may add these users: they exist and none of them has blocked the owner. */
    checkMembers: (input: { ownerId: string; memberIds: string[] }): Promise<Done> =>
      orRefusal(
        repo.friendships
          .getRelationships({ userId: input.ownerId, otherUserIds: input.memberIds })
          .then(({ relationships }) => {
            refuseMissing(relationships);
            return {};
          }),
      ),

    /** Stores the group with its owner, hidden until it is activated. */
    createHiddenGroup: (input: Omit<CreateGroupArgs, 'memberIds'>): Promise<Done> =>
      orRefusal(
        repo.conversations
          .createConversation({
            conversationId: input.conversationId,
            type: conversationType.group,
            textsId: input.textsId,
            name: input.name ?? '',
            avatarUrl: input.avatarUrl ?? '',
            description: input.description ?? '',
            creatorId: input.ownerId,
            initialMemberIds: [],
            activate: false,
            maxMembers: input.maxMembers,
            friendRequestId: '',
            idOnly: true,
          })
          .then(() => ({})),
      ),

    /** Adds a batch of first members without an event. `refused` lists the users whom the owner may not add. */
    addFirstMembers: ({
      ownerId = '',
      ...input
    }: {
      conversationId: string;
      /** Runs of older releases, in which no user could be refused, have no ownerId. */
      ownerId?: string;
      userIds: string[];
    }): Promise<({ ok: true } & { refused?: string[] }) | Refusal> =>
      orRefusal(
        repo.conversations
          .addConversationMember({ ...input, actorId: '', inviterId: ownerId }, { deadlineMs: 10_000 })
          .then(({ refused }) => (refused.length === 0 ? {} : { refused })),
      ),

    /** Shows the group to its members and announces it. */
    activateGroup: (input: { conversationId: string }): Promise<Done> =>
      orRefusal(repo.conversations.activateConversation(input, { deadlineMs: 10_000 }).then(() => ({}))),

    /** Deletes the rows of a group that was never activated. */
    discardGroup: (input: { conversationId: string }): Promise<void> =>
      orFailure(
        repo.conversations
          .discardConversation({ ...input, begunBefore: 0 }, { deadlineMs: 10_000 })
          .then(() => undefined)
          .catch((error: unknown) => {
            if (error instanceof GoChatError && error.code === 'CONVERSATION_NOT_FOUND') return;
            throw error;
          }),
      ),
  };
}

function refuseMissing(relationships: Relationship[]): void {
  const missing = relationships.filter(({ exists }) => !exists).map(({ userId }) => userId);
  if (missing.length > 0) {
    throw new GoChatError('USER_NOT_FOUND', `There is no user ${missing.slice(0, 5).join(', ')}.`);
  }
  const blocking = relationships.filter(({ blockedBy }) => blockedBy).map(({ userId }) => userId);
  if (blocking.length > 0) {
    throw new GoChatError('BLOCKED', `User ${blocking.slice(0, 5).join(', ')} doesn't take part with you.`);
  }
}
