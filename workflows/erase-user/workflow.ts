// Room: the erasure of an account, at the request of its user or an operator. The code that erases a page is in
// activities/; no code of another flow may come in.

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

/** Longer than any call to im-repo that started while the account was still open. */
const settleTime = '30s';

const userIdKey = defineSearchAttributeKey('UserId', SearchAttributeType.KEYWORD);
const userIdsKey = defineSearchAttributeKey('UserIds', SearchAttributeType.KEYWORD_LIST);

/**
 * Erases an account: closes it first, then removes it from everything it belongs to, one bounded page per step. Its
 * messages become empty, or stay if `redactMessages` is false; their sender becomes "deleted user". Every step is
 * idempotent, so a retry or a second run continues where the first one stopped.
 */
export async function eraseUser(input: EraseUserArgs): Promise<EraseUserResult> {
  // This must be the first command. A run without this patch was started by a release that promised to keep messages.
  const erasesTexts = patched('erase-texts');
  const { userId, redactMessages = !startedByOlderRelease() } = parseInput(eraseUserInput, input);
  const done = { relationships: 0, left: 0, dissolved: 0, redacted: 0 };

  async function endRelationships(): Promise<void> {
    for (let more = true; more; ) {
      setCurrentDetails(`Ending relationships: ${done.relationships} so far.`);
      const page = await steps.endRelationships({ userId });
      done.relationships += page.ended;
      more = page.more;
      await continueIfSuggested();
    }
  }

  async function leaveConversations(): Promise<void> {
    for (let more = true; more; ) {
      setCurrentDetails(`Leaving groups: ${done.left} so far, ${done.dissolved} of them dissolved.`);
      const page = await steps.leaveConversations({ userId });
      done.left += page.left;
      done.dissolved += page.dissolved;
      more = page.more;
      await continueIfSuggested();
    }
  }

  async function eraseRequestTexts(): Promise<void> {
    setCurrentDetails('Emptying the texts of friend requests.');
    for (let more = true; more; ) {
      more = (await steps.eraseRequestTexts({ userId })).more;
      await continueIfSuggested();
    }
  }

  async function redact(): Promise<void> {
    if (!redactMessages) return;
    setCurrentDetails('Emptying messages.');
    done.redacted += (await steps.redactMessages({ userId })).redacted;
  }

  /** The next run skips what is erased already, so it needs no progress from this one. */
  async function continueIfSuggested(): Promise<void> {
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

  // A call that started before the account was closed may still add it to a group, or sign it in.
  setCurrentDetails('Waiting for calls that started before the account was closed.');
  await sleep(settleTime, { summary: 'until calls that started before the account was closed have ended' });
  await steps.closeAccount({ userId });
  await leaveConversations();
  if (erasesTexts) await redact();
  setCurrentDetails(
    `Erased: ${done.relationships} relationships, ${done.left} groups, ${done.redacted} messages.`,
  );
  return { ok: true, ...done };
}

/**
 * The names of the run's search attributes. Typed access fails on servers that omit the types of start attributes.
 */
const attributes = (): ReadonlySet<string> => new Set(Object.keys(workflowInfo().searchAttributes));

/**
 * True if an older release, which could not empty messages, started this run before a worker took it. Such a start
 * has the attribute UserId without UserIds. A start by today's services has both, a start by hand has neither.
 */
const startedByOlderRelease = (): boolean =>
  attributes().has(userIdKey.name) && !attributes().has(userIdsKey.name);
