// Room: the parts that the contracts of all flows share: task queues, search attributes, the refusal, and the
// definitions of updates, signals and queries. Callers import this room, so it holds data only; no code of a single
// flow may come in.

import type { QueryDefinition, SignalDefinition, UpdateDefinition } from '@temporalio/common';

// The same as the definitions of the workflow SDK, but without an import of it: callers of flows import contracts
// too.

export function update<Result, Input = never>(name: string) {
  return { type: 'update', name } as UpdateDefinition<Result, [Input] extends [never] ? [] : [Input]>;
}

export function query<Result>(name: string) {
  return { type: 'query', name } as QueryDefinition<Result, []>;
}

export function signal(name: string) {
  return { type: 'signal', name } as SignalDefinition<[]>;
}
