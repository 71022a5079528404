import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { getCurrentDetails, setCurrentDetails, sleep } from '@temporalio/workflow';

type Step = (...args: unknown[]) => Promise<unknown>;

/** The first wait, after the two attempts of the local activity, at 0 s and at 1 s. */
const firstWaitMs = 2000;
const maxWaitMs = 30_000;

/**
 * Retries a step until it succeeds or fails for good. While the flow waits for a retry, its current details show
 * which step failed, why, and when the next attempt is; afterwards the earlier details come back.
 *
 * In older releases the worker did all retries, so in the history of such a run the step never fails transiently
 * here.
 */
export const retriedDurably =
  (step: Step, summary: string): Step =>
  async (...args) => {
    const note = createNote();
    try {
      for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, maxWaitMs)) {
        try {
          return await step(...args);
        } catch (error) {
          const why = transientCause(error);
          if (why === undefined) throw error;
          note.show(`"${summary}" failed and is tried again at ${at(waitMs)}: ${why}`);
          await sleep(waitMs, { summary: `until "${summary}" is tried again` });
        }
      }
    } finally {
      note.remove();
    }
  };

/** The cause of a failure that a retry may cure; undefined if the failure is final or a cancellation. */
function transientCause(error: unknown): string | undefined {
  // A local activity rejects with the error itself, other activities wrap it.
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return 'it took too long';
  return cause instanceof ApplicationFailure && !cause.nonRetryable ? cause.message : undefined;
}

/** A sentence after the current details, until it is removed or the flow sets other details. */
function createNote() {
  let before = '';
  let shown: string | undefined;
  const remove = () => {
    if (shown !== undefined && getCurrentDetails() === shown) setCurrentDetails(before);
    shown = undefined;
  };
  return {
    show(note: string) {
      remove();
      before = getCurrentDetails();
      shown = `${before} ${note}`.trim();
      setCurrentDetails(shown);
    },
    remove,
  };
}

const at = (waitMs: number): string => new Date(Date.now() + waitMs).toISOString();
