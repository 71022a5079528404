import type { Crossing } from './group-guard.ts';

/**
 * What still touches the tables of two groups in one transaction or call, and so needs both groups in one database. The
 * list only gets shorter: a test fails when an entry no longer crosses.
 */
export const knownCrossings: readonly Crossing[] = [
  { file: 'accounts/external-identities.ts', groups: ['accounts', 'directory'] },
  { file: 'accounts/user-accounts.ts', groups: ['accounts', 'directory'] },
  { file: 'accounts/user-closing.ts', groups: ['accounts', 'directory'] },
  { file: 'users/user-insert.ts', groups: ['accounts', 'conversations', 'directory'] },
  { file: 'users/usernames.ts', groups: ['accounts', 'directory'] },
];
