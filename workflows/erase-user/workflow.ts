// Room: the erasure of an account, whoever asked for it. How each page of it is erased is in activities/; nothing of
// another flow may come in.

import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  continueAsNew,
  patched,
  setCurrentDetails,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { userIdsAttribute } from '../contracts/search-attributes.ts';
import { parseInput } from '../input/check.ts';
import { type EraseUserArgs, type EraseUserResult, eraseUserInput } from './contract.ts';
import * as steps from './steps.ts';

/** Longer than any call to im-repo that met the account while it was open. */
const echo = '30s';

const userIdKey = defineSearchAttributeKey('UserId', SearchAttributeType.KEYWORD);
const userIdsKey = defineSearchAttributeKey('UserIds', SearchAttributeType.KEYWORD_LIST);

/**
 * Erases an account: closed first, then taken out of everything it belongs to, a bounded page a step. Its messages become
 * empty, unless they are to stay; they show "deleted user". Every step may be repeated, so that a run, or another one,
 * goes on wherever one ended.
 */
export async function eraseUser(input: EraseUserArgs): Promise<EraseUserResult> {
  // First of all: a run that has done anything without it was begun by whoever was told that the messages stay.
  const erasesTexts = patched('erase-texts');
  const { userId, redactMessages = !wasPromisedToKeep() } = parseInput(eraseUserInput, input);
  const done = { relationships: 0, left: 0, dissolved: 0, redacted: 0 };

  async function endRelationships(): Promise<void> {
    for (let more = true; more; ) {
      setCurrentDetails(`Ending relationships: ${done.relationships} so far.`);
      const page = await steps.endRelationships({ userId });
      done.relationships += page.ended;
      more = page.more;
      await startAfresh();
    }
  }

  async function leaveConversations(): Promise<void> {
    for (let more = true; more; ) {
      setCurrentDetails(`Leaving groups: ${done.left} so far, ${done.dissolved} of them dissolved.`);
      const page = await steps.leaveConversations({ userId });
      done.left += page.left;
      done.dissolved += page.dissolved;
      more = page.more;
      await startAfresh();
    }
  }

  async function eraseRequestTexts(): Promise<void> {
    setCurrentDetails('Emptying the texts of friend requests.');
    for (let more = true; more; ) {
      more = (await steps.eraseRequestTexts({ userId })).more;
      await startAfresh();
    }
  }

  async function redact(): Promise<void> {
    if (!redactMessages) return;
    setCurrentDetails('Emptying messages.');
    done.redacted += (await steps.redactMessages({ userId })).redacted;
  }

  /** What is done is found done, so that nothing has to be carried over. */
  async function startAfresh(): Promise<void> {
    if (workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof eraseUser>({ userId, redactMessages: redactMessages && erasesTexts });
    }
  }

  if (erasesTexts && !attributes().has(userIdsKey.name)) {
    upsertSearchAttributes([
      { key: userIdKey, value: userId },
      { key: userIdsKey, value: userIdsAttribute([userId]) },
    ]);
  }
  setCurrentDetails('Closing the account.');
  const closed = await steps.closeAccount({ userId });
  if (!closed.ok) {
    setCurrentDetails(`Nothing was erased: ${closed.code}.`);
    return closed;
  }
  await endRelationships();
  if (erasesTexts) await eraseRequestTexts();
  await leaveConversations();
  if (erasesTexts) await redact();

  // Somebody may have been adding the account to a group, or signing in to it, at the moment at which it was closed.
  setCurrentDetails('Waiting for what was begun before the account was closed.');
  await sleep(echo, { summary: 'until what was begun before the account was closed has ended' });
  await steps.closeAccount({ userId });
  await leaveConversations();
  if (erasesTexts) await redact();
  setCurrentDetails(
    `Erased: ${done.relationships} relationships, ${done.left} groups, ${done.redacted} messages.`,
  );
  return { ok: true, ...done };
}

/** By their names, since a server may leave out the types of those that a start gave. */
const attributes = (): ReadonlySet<string> => new Set(Object.keys(workflowInfo().searchAttributes));

/**
 * A start that waited for a worker since before messages could be emptied: it says nothing of them, and shows its user as
 * starts did then. Those of today say it, and those by hand show nobody.
 */
const wasPromisedToKeep = (): boolean =>
  attributes().has(userIdKey.name) && !attributes().has(userIdsKey.name);
