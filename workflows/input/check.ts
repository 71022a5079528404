// Room: the validation of a flow's input, and the refusal of invalid input. The shape of a single flow's input
// belongs in its contract.

import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  defineUpdate,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { Refusal } from '../contracts/refusal.ts';
import { undecodable } from './payload-converter.ts';
import { root, type Shape } from './shapes.ts';

/** A caller that sends a thousand wrong ids needs only a few of them to find the mistake. */
const maxComplaints = 5;

/**
 * Returns the start input of a flow if it has the given shape. Otherwise it throws an ApplicationFailure, so that the
 * run fails before its first step: Temporal would retry the workflow task for ever after any other error.
 */
export function parseInput<T>(shape: Shape<T>, input: unknown): T {
  const wrong = wrongWith(shape, input);
  if (wrong) throw startFailure(wrong);
  return input as T;
}

/** Undefined if the input of an update is valid; otherwise the refusal to answer. */
export const refusalOf = (shape: Shape<unknown>, input: unknown): Refusal | undefined =>
  wrongWith(shape, input);

/** The same for an update without arguments. */
export const refusalOfAny = (given: readonly unknown[]): Refusal | undefined =>
  given.length === 0 ? undefined : refusal('it takes none');

/** Answers all updates of a run with invalid start arguments; returns the failure to end the run with. */
export async function refuseStart(wrong: Refusal, updates: readonly { name: string }[]) {
  for (const { name } of updates) setHandler(defineUpdate<Refusal>(name), async () => wrong);
  setCurrentDetails(`Nothing was done. ${wrong.message}`);
  // The update of an update-with-start is delivered later in the same turn.
  await Promise.resolve();
  await condition(allHandlersFinished);
  return startFailure(wrong);
}

const startFailure = ({ code, message }: Refusal) => ApplicationFailure.nonRetryable(message, code);

function wrongWith(shape: Shape<unknown>, input: unknown): Refusal | undefined {
  if (input === undecodable) return refusal('it cannot be decoded');
  const complaints = shape.complaints(input, root);
  return complaints.length === 0 ? undefined : refusal(complaints.slice(0, maxComplaints).join('; '));
}

export const refusal = (wrong: string): Refusal => ({
  ok: false,
  code: 'INVALID_ARGUMENT',
  message: `The input is wrong: ${wrong}.`,
});
