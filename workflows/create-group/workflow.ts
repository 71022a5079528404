// Room: the creation of a group with all of its first members, or of no group at all. Later changes belong in
// change-members; no code of another flow may come in.

import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import type { Refusal } from '../contracts/refusal.ts';
import { refusalOf, refuseStart } from '../input/check.ts';
import { answerResult } from '../steps/result-update.ts';
import {
  type CreateGroupArgs,
  type CreateGroupResult,
  createGroup as contract,
  createGroupInput,
} from './contract.ts';
import * as steps from './steps.ts';

const batchSize = 500;

/**
 * Creates a group with all of its first members, or no group at all. The group stays hidden until all members are
 * stored, and its rows are deleted if a step fails for good.
 */
export async function createGroup(args: CreateGroupArgs): Promise<CreateGroupResult> {
  const wrong = refusalOf(createGroupInput, args);
  if (wrong) throw await refuseStart(wrong, [contract.result]);

  return answerResult(
    contract.result,
    () => build(args),
    stopped,
    (outcome) => (outcome.ok ? 'The group stands.' : `Nothing was created: ${outcome.code}.`),
  );
}

const stopped: Refusal = {
  ok: false,
  code: 'UNAVAILABLE',
  message: 'The creation of the group was stopped. Try again.',
};

async function build(args: CreateGroupArgs): Promise<CreateGroupResult> {
  const { conversationId, ownerId, memberIds } = args;
  const checked = await steps.checkMembers({ ownerId, memberIds });
  if (!checked.ok) return checked;

  try {
    const stored = await store(args);
    if (!stored.ok) await discard(conversationId);
    return stored;
  } catch (error) {
    await discard(conversationId);
    throw error;
  }
}

async function store({ memberIds, ...group }: CreateGroupArgs): Promise<CreateGroupResult> {
  const { conversationId, ownerId } = group;
  const refused: string[] = [];
  const created = await steps.createHiddenGroup(group);
  if (!created.ok) return created;

  for (let from = 0; from < memberIds.length; from += batchSize) {
    setCurrentDetails(`Adding members: ${from} of ${memberIds.length}.`);
    const userIds = memberIds.slice(from, from + batchSize);
    const added = await steps.addFirstMembers({ conversationId, ownerId, userIds });
    if (!added.ok) return added;
    refused.push(...(added.refused ?? []));
  }

  const activated = await steps.activateGroup({ conversationId });
  if (!activated.ok) return activated;
  return { ok: true, conversationId, ...(refused.length === 0 ? {} : { refused }) };
}

const discard = (conversationId: string): Promise<void> =>
  CancellationScope.nonCancellable(() => steps.discardGroup({ conversationId }));
