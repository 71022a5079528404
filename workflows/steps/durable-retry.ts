import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { getCurrentDetails, setCurrentDetails, sleep } from '@temporalio/workflow';

type Step = (...args: unknown[]) => Promise<unknown>;

/** The first wait of what has failed at 0 s and at 1 s already. */
const firstWaitMs = 2000;
const longestWaitMs = 30_000;

/**
 * Does a step until it succeeds or is refused for good. While it waits to be tried again, current details say which step
 * failed, why, and when it is tried again; what they said before comes back afterwards.
 *
 * A step whose history is from a release that left all of this to the worker comes here only with its outcome.
 */
export const retriedDurably =
  (step: Step, summary: string): Step =>
  async (...args) => {
    const note = createNote();
    try {
      for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
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

/** Why a step failed that may succeed when it is tried again; undefined for what is final, or cancelled. */
function transientCause(error: unknown): string | undefined {
  // A local activity fails with what it threw, others wrap it.
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return 'it took too long';
  return cause instanceof ApplicationFailure && !cause.nonRetryable ? cause.message : undefined;
}

/** A sentence behind the current details, for as long as the flow has nothing else to say. */
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
