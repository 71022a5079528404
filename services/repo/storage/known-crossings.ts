import type { Crossing } from './group-guard.ts';

/**
 * What still touches the tables of two groups in one transaction or call, and so needs both groups in one database. The
 * list only gets shorter: a test fails when an entry no longer crosses.
 */
export const knownCrossings: readonly Crossing[] = [
  { file: 'accounts/external-identities.ts', groups: ['accounts', 'directory'] },
  { file: 'accounts/user-accounts.ts', groups: ['accounts', 'directory'] },
  { file: 'accounts/user-closing.ts', groups: ['accounts', 'directory'] },
  { file: 'conversations/single-conversation.ts', groups: ['accounts', 'conversations'] },
  { file: 'friends/blocks.ts', groups: ['accounts', 'conversations'] },
  { file: 'friends/friendship-requests.ts', groups: ['accounts', 'conversations'] },
  { file: 'friends/friendships.ts', groups: ['accounts', 'conversations'] },
  { file: 'friends/relationships-end.ts', groups: ['accounts', 'conversations'] },
  { file: 'users/user-insert.ts', groups: ['accounts', 'conversations', 'directory'] },
  { file: 'users/usernames.ts', groups: ['accounts', 'directory'] },
];
