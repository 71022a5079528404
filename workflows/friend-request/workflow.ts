// Room: the friend request of a pair, from the request to the conversation. services/repo decides who may send a
// request to whom; no code of another flow may come in.

import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { FriendRequestRow } from '../../activities/friend-request.ts';
import { type FriendRequestStatus, friendRequestStatus } from '../../lib/domain/enumerations.ts';
import type { Refusal } from '../contracts/refusal.ts';
import { refusal, refusalOf, refuseStart } from '../input/check.ts';
import { createCommandQueue } from './command-queue.ts';
import {
  friendRequest as contract,
  type DecideInput,
  type DecideResult,
  type FriendRequestArgs,
  type FriendRequestCommand,
  type FriendRequestState,
  friendRequestInputs,
  type RequestInput,
  type RequestResult,
  type WithdrawInput,
  type WithdrawResult,
} from './contract.ts';
import * as steps from './steps.ts';

const conversationIdKey = defineSearchAttributeKey('ConversationId', SearchAttributeType.KEYWORD);

/**
 * The friend request of a pair, in either direction: from the request to the conversation, or to its rejection,
 * withdrawal or expiry. The row in the database decides every change. This flow ensures that a command that was
 * started is finished and that an unanswered request expires. The run closes when no request is pending; the pair's
 * next command starts another run.
 */
export async function friendRequest(input: FriendRequestArgs): Promise<FriendRequestState> {
  const wrong =
    refusalOf(friendRequestInputs.start, input) ?? refusalOfStranger(input.userIds, input.opening);
  if (wrong) throw await refuseStart(wrong, [contract.request, contract.decide, contract.withdraw]);

  const { userIds, opening } = input;
  let pending: FriendRequestRow | undefined;
  let latest: FriendRequestState = { phase: 'working' };
  const commands = createCommandQueue();

  /**
   * Executes one command at a time, and each attempt once, whether it came in the start arguments or as an update.
   */
  const perform = (command: FriendRequestCommand): Promise<RequestResult | DecideResult | WithdrawResult> =>
    commands.runOnce(command.input.attempt, () => {
      switch (command.update) {
        case 'request':
          return request(command.input);
        case 'decide':
          return decide(command.input);
        case 'withdraw':
          return withdraw(command.input);
      }
    });

  /**
   * Refuses invalid input at once, outside the queue: valid commands of the pair must not wait for an invalid one.
   */
  const answer = async (command: FriendRequestCommand) =>
    refusalOf(friendRequestInputs[command.update], command.input) ??
    refusalOfStranger(userIds, command) ??
    perform(command);

  setHandler(contract.request, (input) => answer({ update: 'request', input }));
  setHandler(contract.decide, (input) => answer({ update: 'decide', input }));
  setHandler(contract.withdraw, (input) => answer({ update: 'withdraw', input }));
  setHandler(contract.state, () => latest);

  async function request(input: RequestInput): Promise<RequestResult> {
    const stored = await steps.createFriendRequest({
      requesterId: input.requesterId,
      targetId: input.targetId,
      ...(input.textsId === undefined ? { message: input.message } : { textsId: input.textsId }),
    });
    if (!stored.ok) return stored;
    if (stored.requesterId !== input.requesterId) return accept(stored.requestId, input.requesterId);
    watch(stored);
    return { ok: true, requestId: stored.requestId };
  }

  async function decide(input: DecideInput): Promise<DecideResult> {
    return input.action === 'accept'
      ? accept(input.requestId, input.actorId)
      : settle(input.requestId, input.actorId, friendRequestStatus.rejected);
  }

  async function withdraw(input: WithdrawInput): Promise<WithdrawResult> {
    return settle(input.requestId, input.actorId, friendRequestStatus.withdrawn);
  }

  async function accept(requestId: string, actorId: string): Promise<DecideResult> {
    const settled = await settle(requestId, actorId, friendRequestStatus.accepted);
    if (!settled.ok) return settled;
    const [low, high] = userIds;
    const opened = await steps.openSingleConversation({
      creatorId: actorId,
      peerId: actorId === low ? high : low,
      friendRequestId: requestId,
    });
    // One of the two has ended the friendship since: the request stays accepted, but there is no conversation to
    // open.
    if (!opened.ok) return settled;
    latest = { ...latest, conversationId: opened.conversationId };
    upsertSearchAttributes([{ key: conversationIdKey, value: opened.conversationId }]);
    setCurrentDetails(`Request ${requestId} was accepted: conversation ${opened.conversationId}.`);
    return { ...settled, conversationId: opened.conversationId };
  }

  async function settle(requestId: string, actorId: string, to: FriendRequestStatus): Promise<DecideResult> {
    const settled = await steps.settleFriendRequest({ requestId, actorId, status: to });
    if (settled.ok) {
      forget(requestId);
      latest = { phase: 'closed', requestId, status: settled.status };
      setCurrentDetails(`Request ${requestId} has status ${settled.status}.`);
      return { ok: true, requestId, ...(settled.updatedAt ? { decidedAt: settled.updatedAt } : {}) };
    }
    // The request was settled outside this flow, for example by a block.
    if (settled.code === 'REQUEST_ALREADY_HANDLED' || settled.code === 'REQUEST_NOT_FOUND') forget(requestId);
    return settled;
  }

  function watch(row: FriendRequestRow): void {
    if (pending?.requestId === row.requestId) return;
    pending = row;
    const { requestId, expiresAt } = row;
    latest = { phase: 'pending', requestId, status: row.status, expiresAt };
    setCurrentDetails(
      `Request ${requestId} from ${row.requesterId} to ${row.targetId} is pending until ${new Date(expiresAt).toISOString()}.`,
    );
  }

  function forget(requestId: string): void {
    if (pending?.requestId !== requestId) return;
    pending = undefined;
    latest = { ...latest, phase: 'closed' };
  }

  /** Continues from the stored row, after a start without a command or with a refused one. */
  async function resume(): Promise<void> {
    const found = await steps.findFriendRequest(userIds);
    if (!found.ok) return;
    if (found.status === friendRequestStatus.pending) watch(found);
    // The request expired while no run watched it: store the status and its event now.
    if (found.status === friendRequestStatus.expired)
      await settle(found.requestId, '', friendRequestStatus.expired);
  }

  const outcome = opening && (await perform(opening));
  if (!outcome?.ok) await commands.run(resume);

  for (;;) {
    const idle = () => commands.idle() && allHandlersFinished();
    // No await is allowed between here and the return: a command that arrives there would be lost.
    if (idle() && !pending) return { ...latest, phase: 'closed' };
    if (idle() && workflowInfo().continueAsNewSuggested) {
      return continueAsNew<typeof friendRequest>({ userIds });
    }

    const watched = pending;
    if (!watched) {
      await condition(() => pending !== undefined || idle());
      continue;
    }
    const changed = await condition(
      () => pending !== watched || (idle() && workflowInfo().continueAsNewSuggested),
      Math.max(watched.expiresAt - Date.now(), 1),
      { summary: 'until the friend request expires' },
    );
    if (!changed) {
      await commands.run(async () => {
        if (pending !== watched) return;
        await settle(watched.requestId, '', friendRequestStatus.expired);
        forget(watched.requestId);
      });
    }
  }
}

/** The refusal of a command whose users do not belong to the pair. */
function refusalOfStranger(
  userIds: readonly string[],
  command: FriendRequestCommand | undefined,
): Refusal | undefined {
  if (!command) return undefined;
  const { update, input } = command;
  const users = update === 'request' ? [input.requesterId, input.targetId] : [input.actorId];
  const stranger = users.find((userId) => !userIds.includes(userId));
  return stranger === undefined ? undefined : refusal(`user ${stranger} is none of ${userIds.join(' and ')}`);
}
