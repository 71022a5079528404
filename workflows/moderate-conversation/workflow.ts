// Room: what operators do in a conversation. Rules about members belong in services/repo; no code of another flow may
// come in.

import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Refusal } from '../contracts/refusal.ts';
import { userIdsAttribute } from '../contracts/search-attributes.ts';
import { parseInput } from '../input/check.ts';
import {
  type ModerateConversationInput,
  type ModerateConversationResult,
  moderateConversationInput,
} from './contract.ts';
import * as steps from './steps.ts';

/** Items per step, such that a step takes at most a few seconds. */
const messagesPerStep = 50;
const usersPerStep = 500;

const conversationIdKey = defineSearchAttributeKey('ConversationId', SearchAttributeType.KEYWORD);
const userIdsKey = defineSearchAttributeKey('UserIds', SearchAttributeType.KEYWORD_LIST);

/**
 * Recalls messages, mutes and unmutes members on behalf of an operator, in a conversation of any type, including the
 * world room. Mutes come first, so that muted members cannot react to a recall. The result lists ids that do not
 * exist.
 */
export async function moderateConversation(
  input: ModerateConversationInput,
): Promise<ModerateConversationResult> {
  const {
    conversationId,
    recall = [],
    mute = [],
    unmute = [],
  } = parseInput(moderateConversationInput, input);
  upsertSearchAttributes([
    { key: conversationIdKey, value: conversationId },
    { key: userIdsKey, value: userIdsAttribute([...mute, ...unmute]) },
  ]);
  const done = {
    recalled: 0,
    muted: 0,
    unmuted: 0,
    unknownMessages: [] as number[],
    unknownUsers: [] as string[],
  };

  const showProgress = () =>
    setCurrentDetails(
      `Recalled ${done.recalled} of ${recall.length} messages, muted ${done.muted} of ${mute.length} members, let ${done.unmuted} of ${unmute.length} write again.`,
    );

  async function setMuted(userIds: string[], muted: boolean): Promise<Refusal | undefined> {
    for (const some of parts(userIds, usersPerStep)) {
      const page = await steps.muteMembers({ conversationId, userIds: some, muted });
      if (!page.ok) return page;
      done[muted ? 'muted' : 'unmuted'] += page.changed;
      done.unknownUsers.push(...page.unknown);
      showProgress();
    }
    return undefined;
  }

  async function recallAll(): Promise<Refusal | undefined> {
    for (const messageIds of parts(recall, messagesPerStep)) {
      const page = await steps.recallMessages({ conversationId, messageIds });
      if (!page.ok) return page;
      done.recalled += page.recalled;
      done.unknownMessages.push(...page.unknown);
      showProgress();
    }
    return undefined;
  }

  const refused = (await setMuted(mute, true)) ?? (await setMuted(unmute, false)) ?? (await recallAll());
  if (refused) {
    setCurrentDetails(`Stopped: ${refused.code}.`);
    return refused;
  }
  showProgress();
  return { ok: true, ...done };
}

function parts<T>(all: readonly T[], size: number): T[][] {
  const found: T[][] = [];
  for (let from = 0; from < all.length; from += size) found.push(all.slice(from, from + size));
  return found;
}
