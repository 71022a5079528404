import type { UpdateDefinition } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { Refusal } from '../contracts/refusal.ts';
import { refusalOfAny } from '../input/check.ts';

/**
 * Does the work of a flow and answers its outcome to the callers of `update`, who may call before or after it is there.
 * If the flow is cancelled or the work fails, they get `stopped`. `details` describes the outcome in Temporal's UI.
 */
export async function answerResult<R>(
  update: UpdateDefinition<R | Refusal>,
  work: () => Promise<R | Refusal>,
  stopped: Refusal,
  details: (outcome: R | Refusal) => string,
): Promise<R | Refusal> {
  let outcome: R | Refusal | undefined;
  setHandler(update, async (...given: unknown[]) => {
    const refusal = refusalOfAny(given);
    if (refusal) return refusal;
    await CancellationScope.nonCancellable(() => condition(() => outcome !== undefined));
    return outcome ?? stopped;
  });

  try {
    outcome = await work();
  } finally {
    outcome ??= stopped;
    setCurrentDetails(details(outcome));
    // Callers that wait for the result get an answer after a cancellation too.
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
  return outcome;
}
