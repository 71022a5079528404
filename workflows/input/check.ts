// Room: how a flow checks what it is given, and refuses it. What the input of a single flow looks like stays in its
// contract.

import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  defineUpdate,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { Refusal } from '../contracts/refusal.ts';
import { root, type Shape } from './shapes.ts';

/** Whoever sent a thousand wrong ids learns enough from a few of them. */
const mostComplaints = 5;

/**
 * What a flow was started with. Whatever is wrong ends the run as failed before it does anything: what throws anything
 * but a failure of Temporal's would be tried again for ever.
 */
export function parseInput<T>(shape: Shape<T>, input: unknown): T {
  const wrong = wrongWith(shape, input);
  if (wrong) throw startFailure(wrong);
  return input as T;
}

/** Undefined when the input of an update is right; else its answer. */
export const refusalOf = (shape: Shape<unknown>, input: unknown): Refusal | undefined =>
  wrongWith(shape, input);

/** The same for an update that takes nothing. */
export const refusalOfAny = (given: readonly unknown[]): Refusal | undefined =>
  given.length === 0 ? undefined : refusal('it takes none');

/** The answer to all updates of a run whose start was wrong; the run fails once everybody has it. */
export async function refuseStart(wrong: Refusal, updates: readonly { name: string }[]) {
  for (const { name } of updates) setHandler(defineUpdate<Refusal>(name), async () => wrong);
  setCurrentDetails(`Nothing was done. ${wrong.message}`);
  // The update that came with the start is behind it in the same turn.
  await Promise.resolve();
  await condition(allHandlersFinished);
  return startFailure(wrong);
}

const startFailure = ({ code, message }: Refusal) => ApplicationFailure.nonRetryable(message, code);

function wrongWith(shape: Shape<unknown>, input: unknown): Refusal | undefined {
  const complaints = shape.complaints(input, root);
  return complaints.length === 0 ? undefined : refusal(complaints.slice(0, mostComplaints).join('; '));
}

export const refusal = (wrong: string): Refusal => ({
  ok: false,
  code: 'INVALID_ARGUMENT',
  message: `The input is wrong: ${wrong}.`,
});
