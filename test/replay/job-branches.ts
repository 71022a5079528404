import type { Activities } from '../../activities/index.ts';
import { archiveColdMessages } from '../../workflows/archive-cold-messages/contract.ts';
import { compactColdMessages } from '../../workflows/compact-cold-messages/contract.ts';
import { eraseUser, eraseUserStart } from '../../workflows/erase-user/contract.ts';
import { moderateConversation } from '../../workflows/moderate-conversation/contract.ts';
import { purgeGuests } from '../../workflows/purge-guests/contract.ts';
import { reconcileCounters } from '../../workflows/reconcile-counters/contract.ts';
import { addFindings, noFindings } from '../../workflows/reconcile-counters/findings.ts';
import { reindex } from '../../workflows/reindex/contract.ts';
import type { Branch } from './branch.ts';

const closed = async () => ({ ok: true as const });
const texts: Partial<Activities> = {
  eraseRequestTexts: async () => ({ erased: 3, more: false }),
  redactMessages: async () => ({ redacted: 812 }),
};
const found = addFindings(noFindings(), {
  checked: 200,
  wrong: { memberCount: 1, head: 0, lastMessage: 1, readPointers: 2, unread: 0 },
  mended: 1,
  conversationIds: ['7'],
});

const indexSteps = () => [
  { cursor: '9:1025', indexed: 100_000, conversations: 40 },
  { cursor: '', indexed: 7, conversations: 2 },
];

let lastErased = 100;

export const jobBranches: Branch[] = [
  erase('nothing-but-a-profile', {
    closeAccount: closed,
    endRelationships: async () => ({ ended: 0, more: false }),
    leaveConversations: async () => ({ left: 1, dissolved: 0, more: false }),
  }),
  erase('by-pages', {
    closeAccount: closed,
    endRelationships: inTurn({ ended: 100, more: true }, { ended: 3, more: false }),
    leaveConversations: inTurn(
      { left: 20, dissolved: 2, more: true },
      { left: 4, dissolved: 0, more: false },
      { left: 1, dissolved: 0, more: false },
    ),
  }),
  erase('with-messages', {
    closeAccount: closed,
    endRelationships: async () => ({ ended: 0, more: false }),
    leaveConversations: async () => ({ left: 1, dissolved: 0, more: false }),
  }),
  erase(
    'without-messages',
    {
      closeAccount: closed,
      endRelationships: async () => ({ ended: 0, more: false }),
      leaveConversations: async () => ({ left: 1, dissolved: 0, more: false }),
    },
    false,
  ),
  eraseByHand(),
  erase('never-was', {
    closeAccount: async () => ({ ok: false, code: 'USER_NOT_FOUND', message: 'There is no such user.' }),
  }),
  erase('repo-away-for-long', {
    closeAccount: closed,
    endRelationships: inTurn<{ ended: number; more: boolean }>('away', 'away', 'away', {
      ended: 1,
      more: false,
    }),
    leaveConversations: async () => ({ left: 1, dissolved: 0, more: false }),
  }),

  moderate('done', {
    muteMembers: async ({ userIds }) => ({ ok: true, changed: userIds.length, unknown: [] }),
    recallMessages: async () => ({ ok: true, recalled: 50, unknown: [5] }),
  }),
  moderate('refused', {
    muteMembers: async () => ({
      ok: false,
      code: 'CONVERSATION_NOT_FOUND',
      message: 'There is no such conversation.',
    }),
  }),

  archive('no-store', {
    readArchiveSettings: async () => ({ ...archiveSettings, enabled: false }),
  }),
  archive('by-pages', {
    archivePage: inTurn(
      { archived: 1000, objects: 2, bytes: 5e4, after: '', more: true },
      { archived: 500, objects: 1, bytes: 2e4, after: '9', more: true },
      { archived: 0, objects: 0, bytes: 0, after: '', more: false },
    ),
    deleteArchivedPage: inTurn({ deleted: 900, kept: 1, more: true }, { deleted: 100, kept: 0, more: false }),
  }),
  archive(
    'dry-run',
    { countArchivable: async () => ({ messages: 1500 }) },
    { dryRun: true, olderThanDays: 90.5 },
  ),
  archive(
    'worker-died',
    {
      archivePage: inTurn('away', { archived: 7, objects: 1, bytes: 900, after: '', more: false }),
      deleteArchivedPage: async () => ({ deleted: 0, kept: 0, more: false }),
    },
    { wholeMonths: true, keepNewest: 0, graceHours: 0, conversationId: '9' },
  ),
  archive('wrong-input', {}, { olderThanDays: 'long' }),
  compact('by-pages', {
    compactPage: inTurn(
      { enabled: true, after: '7', objects: 9, messages: 20, skipped: 1 },
      { enabled: true, after: '', objects: 1, messages: 1, skipped: 0 },
    ),
  }),
  compact(
    'no-store',
    { compactPage: async () => ({ enabled: false, after: '', objects: 0, messages: 0, skipped: 0 }) },
    { userId: '7' },
  ),
  compact('wrong-input', {}, { userId: 7 }),

  purge('nobody', { findIdleGuests: async () => ({ userIds: [], nextCursor: '' }) }),
  purge('by-pages', pagesOfGuests()),
  purge('dry-run', pagesOfGuests(), { dryRun: true, idleMs: 86_400_000 }),
  purge('worker-died', {
    ...pagesOfGuests(),
    eraseGuests: inTurn<{ erased: number }>('away', { erased: 2 }, { erased: 1 }),
  }),
  purge('wrong-input', {}, { idleMs: 'long' }),

  reconcile('nothing-wrong', [{ after: '', findings: { ...noFindings(), checked: 3 } }]),
  reconcile('by-pages', [
    { after: '9', findings: found },
    { after: '', findings: found },
  ]),
  reconcile('dry-run', [{ after: '', findings: { ...found, mended: 0 } }], { dryRun: true }),
  reconcile('wrong-input', [], { dryrun: true }),

  buildIndex('by-steps', { rebuildIndex: inTurn(...indexSteps()) }),
  buildIndex('worker-died', { rebuildIndex: inTurn('away', ...indexSteps()) }),
  buildIndex('wrong-input', {}, { conversation: '9' }),
  buildIndexOfOne(),
];

/** Answers in turn; the last one for ever. */
function inTurn<T>(...answers: (T | 'away')[]): () => Promise<T> {
  let asked = 0;
  return async () => {
    const answer = answers[Math.min(asked++, answers.length - 1)];
    if (answer === undefined || answer === 'away') throw new Error('im-repo is away');
    return answer;
  };
}

function pagesOfGuests(): Partial<Activities> {
  return {
    findIdleGuests: async ({ cursor }) =>
      cursor === '' ? { userIds: ['1', '2'], nextCursor: 'next' } : { userIds: ['3'], nextCursor: '' },
    eraseGuests: async ({ userIds }) => ({ erased: userIds.length }),
  };
}

function erase(name: string, steps: Partial<Activities>, redactMessages?: boolean): Branch {
  const { workflowIdConflictPolicy: _, ...start } = eraseUserStart(String(++lastErased), redactMessages);
  return job(`erase-user.${name}`, start.workflowId, eraseUser.workflowType, start, { ...texts, ...steps });
}

/** On the real server, for the sake of the list of words that the run sets. */
function eraseByHand(): Branch {
  const workflowId = 'erase-user-by-hand';
  const start = { taskQueue: eraseUserStart('99').taskQueue, args: [{ userId: '99' }] };
  const { clock: _, ...branch } = job('erase-user.by-hand', workflowId, eraseUser.workflowType, start, {
    ...texts,
    closeAccount: closed,
    endRelationships: async () => ({ ended: 0, more: false }),
    leaveConversations: async () => ({ left: 1, dissolved: 0, more: false }),
  });
  return branch;
}

function moderate(name: string, steps: Partial<Activities>): Branch {
  const { workflowType, ...start } = moderateConversation;
  const recall = Array.from({ length: 60 }, (_, index) => index + 1);
  const args = [{ conversationId: '9', recall, mute: ['1', '2'], unmute: ['3'] }];
  const workflowId = `moderate-conversation-${name}`;
  // On the real server: the one whose clock jumps does not answer to a list of words that a run sets.
  const { clock: _, ...branch } = job(
    `moderate-conversation.${name}`,
    workflowId,
    workflowType,
    { ...start, args },
    steps,
  );
  return branch;
}

const archiveSettings = { enabled: true, afterDays: 180, keepNewest: 200, graceHours: 24 };

function archive(name: string, steps: Partial<Activities>, input?: object): Branch {
  const { workflowType, ...start } = archiveColdMessages;
  const args = input ? [input] : [];
  const given = { readArchiveSettings: async () => archiveSettings, ...steps };
  return job(
    `archive-cold-messages.${name}`,
    `archive-cold-messages-${name}`,
    workflowType,
    { ...start, args },
    given,
  );
}

function compact(name: string, steps: Partial<Activities>, input?: object): Branch {
  const { workflowType, ...start } = compactColdMessages;
  const args = input ? [input] : [];
  return job(
    `compact-cold-messages.${name}`,
    `compact-cold-messages-${name}`,
    workflowType,
    { ...start, args },
    steps,
  );
}

function purge(name: string, steps: Partial<Activities>, input?: object): Branch {
  const { workflowType, ...start } = purgeGuests;
  const args = input ? [input] : [];
  return job(`purge-guests.${name}`, `purge-guests-${name}`, workflowType, { ...start, args }, steps);
}

function buildIndex(name: string, steps: Partial<Activities>, input?: object): Branch {
  const { workflowType, ...start } = reindex;
  const args = input ? [input] : [];
  return job(`reindex.${name}`, `reindex-${name}`, workflowType, { ...start, args }, steps);
}

/** On the real server: the run sets a search attribute. */
function buildIndexOfOne(): Branch {
  const { clock: _, ...branch } = buildIndex(
    'one-conversation',
    { rebuildIndex: async () => ({ cursor: '', indexed: 7, conversations: 1 }) },
    { conversationId: '9' },
  );
  return branch;
}

type Compared = Awaited<ReturnType<Activities['compareCounters']>>;

function reconcile(name: string, answers: Compared[], input?: object): Branch {
  const { workflowType, ...start } = reconcileCounters;
  const args = input ? [input] : [];
  const steps = { compareCounters: inTurn(...answers) };
  return job(
    `reconcile-counters.${name}`,
    `reconcile-counters-${name}`,
    workflowType,
    { ...start, args },
    steps,
  );
}

function job(
  name: string,
  workflowId: string,
  workflowType: string,
  start: { taskQueue: string; args: unknown[] },
  steps: Partial<Activities>,
): Branch {
  return {
    name,
    clock: 'jumping',
    workflowId,
    async play(temporal) {
      await temporal.withWorker(steps, () =>
        temporal.client.workflow.execute(workflowType, { ...start, workflowId }).catch(() => undefined),
      );
    },
  };
}
