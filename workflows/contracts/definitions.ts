// Room: what every flow's contract is made of: task queues, search attributes, the refusal, and how updates, signals and
// queries are named. Data only: callers import it; nothing of a single flow may come in.

import type { QueryDefinition, SignalDefinition, UpdateDefinition } from '@temporalio/common';

// What a flow takes, by name. As those of the workflow SDK, without needing it: callers read contracts too.

export function update<Result, Input = never>(name: string) {
  return { type: 'update', name } as UpdateDefinition<Result, [Input] extends [never] ? [] : [Input]>;
}

export function query<Result>(name: string) {
  return { type: 'query', name } as QueryDefinition<Result, []>;
}

export function signal(name: string) {
  return { type: 'signal', name } as SignalDefinition<[]>;
}
