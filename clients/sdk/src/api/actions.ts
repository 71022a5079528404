import { createMessageActions } from './message-actions.ts';
import { type ActionDeps, createFriends, createGroups, createMembers, createUsers } from './people.ts';

/** What a client can do beside talking: calls that need no connection. */
export const createActions = (deps: ActionDeps) => ({
  friends: createFriends(deps),
  groups: createGroups(deps),
  members: createMembers(deps),
  users: createUsers(deps),
  messages: createMessageActions(deps),
});

export type Actions = ReturnType<typeof createActions>;
