// Room: the friend request of a pair, from asking to the conversation. Who may ask whom is for services/repo to say;
// nothing of another flow may come in.

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
import { createTurns } from './turns.ts';

const conversationIdKey = defineSearchAttributeKey('ConversationId', SearchAttributeType.KEYWORD);

/**
 * The friend request of a pair, in either direction: from asking to the conversation, or to its rejection,
 * withdrawal or expiry. The row in the database decides every change; this flow makes sure that what was begun is
 * finished and that what nobody answers expires. It closes when nothing is pending, and the next command of the
 * pair starts it again.
 */
export async function friendRequest(input: FriendRequestArgs): Promise<FriendRequestState> {
  const wrong =
    refusalOf(friendRequestInputs.start, input) ?? refusalOfStranger(input.userIds, input.opening);
  if (wrong) throw await refuseStart(wrong, [contract.request, contract.decide, contract.withdraw]);

  const { userIds, opening } = input;
  let pending: FriendRequestRow | undefined;
  let latest: FriendRequestState = { phase: 'working' };
  const turns = createTurns();

  /** One command at a time, and each attempt once, whether the start arguments or an update brought it. */
  const perform = (command: FriendRequestCommand): Promise<RequestResult | DecideResult | WithdrawResult> =>
    turns.once(command.input.attempt, () => {
      switch (command.update) {
        case 'request':
          return request(command.input);
        case 'decide':
          return decide(command.input);
        case 'withdraw':
          return withdraw(command.input);
      }
    });

  /** An update is answered here, whatever it holds: the pair's other commands must not wait for a wrong one. */
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
    // Only when one of the two ended the friendship in between: the acceptance stands, there is nothing to open.
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
    // Handled past this flow, by a block for instance.
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

  /** Takes up what the row says: after a start without a command, or with one that was refused. */
  async function resume(): Promise<void> {
    const found = await steps.findFriendRequest(userIds);
    if (!found.ok) return;
    if (found.status === friendRequestStatus.pending) watch(found);
    // It ran out while no flow watched it: now it is marked and told.
    if (found.status === friendRequestStatus.expired)
      await settle(found.requestId, '', friendRequestStatus.expired);
  }

  const outcome = opening && (await perform(opening));
  if (!outcome?.ok) await turns.take(resume);

  for (;;) {
    const quiet = () => turns.free() && allHandlersFinished();
    // From here to the return there is no await: a command that comes meanwhile would be lost.
    if (quiet() && !pending) return { ...latest, phase: 'closed' };
    if (quiet() && workflowInfo().continueAsNewSuggested) {
      return continueAsNew<typeof friendRequest>({ userIds });
    }

    const watched = pending;
    if (!watched) {
      await condition(() => pending !== undefined || quiet());
      continue;
    }
    const changed = await condition(
      () => pending !== watched || (quiet() && workflowInfo().continueAsNewSuggested),
      Math.max(watched.expiresAt - Date.now(), 1),
      { summary: 'until the friend request expires' },
    );
    if (!changed) {
      await turns.take(async () => {
        if (pending !== watched) return;
        await settle(watched.requestId, '', friendRequestStatus.expired);
        forget(watched.requestId);
      });
    }
  }
}

/** The flow of a pair is nobody else's. */
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
