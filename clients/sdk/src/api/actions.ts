import { createHistory } from './history.ts';
import { createMessageActions } from './message-actions.ts';
import { type ActionDeps, createFriends, createGroups, createMembers, createUsers } from './people.ts';
import { createSearch } from './search.ts';
import { createUploads } from './uploads.ts';

/** What a client can do beside talking: calls that need no connection. */
export const createActions = (deps: ActionDeps) => ({
  friends: createFriends(deps),
  groups: createGroups(deps),
  members: createMembers(deps),
  users: createUsers(deps),
  history: createHistory(deps),
  messages: createMessageActions(deps),
  search: createSearch(deps),
  uploads: createUploads(deps),
});

export type Actions = ReturnType<typeof createActions>;
