import { continueAsNew, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import { parseInput } from './input.ts';
import { eraseUserInput } from './inputs.ts';
import type { EraseUserArgs, EraseUserResult } from './job-contracts.ts';
import { erasureSteps } from './steps.ts';

/** Longer than any call to im-repo that met the account while it was open. */
const echo = '30s';

/**
 * Erases an account: closed first, then taken out of everything it belongs to, a bounded page a step. Its messages
 * stay and show "deleted user". Every step may be repeated, so that a run, or another one, goes on wherever one ended.
 */
export async function eraseUser(input: EraseUserArgs): Promise<EraseUserResult> {
  const { userId } = parseInput(eraseUserInput, input);
  const done = { relationships: 0, left: 0, dissolved: 0 };

  async function endRelationships(): Promise<void> {
    for (let more = true; more; ) {
      setCurrentDetails(`Ending relationships: ${done.relationships} so far.`);
      const page = await erasureSteps.endRelationships({ userId });
      done.relationships += page.ended;
      more = page.more;
      await startAfresh();
    }
  }

  async function leaveConversations(): Promise<void> {
    for (let more = true; more; ) {
      setCurrentDetails(`Leaving groups: ${done.left} so far, ${done.dissolved} of them dissolved.`);
      const page = await erasureSteps.leaveConversations({ userId });
      done.left += page.left;
      done.dissolved += page.dissolved;
      more = page.more;
      await startAfresh();
    }
  }

  /** What is done is found done, so that nothing has to be carried over. */
  async function startAfresh(): Promise<void> {
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof eraseUser>({ userId });
  }

  setCurrentDetails('Closing the account.');
  const closed = await erasureSteps.closeAccount({ userId });
  if (!closed.ok) {
    setCurrentDetails(`Nothing was erased: ${closed.code}.`);
    return closed;
  }
  await endRelationships();
  await leaveConversations();

  // Somebody may have been adding the account to a group, or signing in to it, at the moment at which it was closed.
  setCurrentDetails('Waiting for what was begun before the account was closed.');
  await sleep(echo, { summary: 'until what was begun before the account was closed has ended' });
  await erasureSteps.closeAccount({ userId });
  await leaveConversations();
  setCurrentDetails(`Erased: ${done.relationships} relationships, ${done.left} groups.`);
  return { ok: true, ...done };
}
