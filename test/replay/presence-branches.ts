import type { Activities } from '../../activities/index.ts';
import { cleanupExpiredStatus } from '../../workflows/cleanup-expired-status/contract.ts';
import {
  confirmOffline,
  confirmOfflineId,
  confirmOfflineStart,
} from '../../workflows/confirm-offline/contract.ts';
import { eventually } from '../support/eventually.ts';
import type { Branch } from './branch.ts';

type Confirmed = Awaited<ReturnType<Activities['confirmUsersOffline']>>;
type Pages = Awaited<ReturnType<Activities['cleanUpSessions']>>;

export const presenceBranches: Branch[] = [
  leaving('told', 1, [{ offline: 1, waitMs: 0 }]),
  leaving('all-came-back', 2, [{ offline: 0, waitMs: 0 }]),
  leaving('redis-lost-its-data', 3, [
    { offline: 0, waitMs: 75_000 },
    { offline: 0, waitMs: 5000 },
    { offline: 3, waitMs: 0 },
  ]),
  leaving('overdue', 4, [{ offline: 4, waitMs: 0 }], 60_000),
  {
    name: 'confirm-offline.cancelled',
    workflowId: confirmOfflineId({ partition: 0, offset: '5', timestamp: '1' }),
    async play(temporal) {
      const start = confirmOfflineStart(
        { partition: 0, offset: '5', timestamp: '1' },
        leavers(2, Date.now()),
      );
      await temporal.withWorker({}, async () => {
        const handle = await temporal.client.workflow.start(confirmOffline.workflowType, start);
        await eventually(async () => {
          const { events } = await handle.fetchHistory();
          return events?.some(({ timerStartedEventAttributes }) => timerStartedEventAttributes) === true;
        });
        await handle.cancel();
        await handle.result().catch(() => undefined);
      });
    },
  },

  cleanup('nothing-to-do', [page('', 0)]),
  cleanup('by-pages', [page('a', 3), page('b', 2), page('', 0)]),
  cleanup('dry-run', [page('a', 3), page('', 0)], { dryRun: true, olderThanMs: 100_000 }),
  cleanup('wrong-input', [], { olderThanMs: 'long' }),
  cleanup('redis-lost-its-data', [page('', 0, 75_000), page('a', 1), page('', 0)]),
];

const leavers = (count: number, disconnectedAt: number) => ({
  users: Array.from({ length: count }, (_, index) => ({
    userId: String(index + 1),
    epoch: `e${index}`,
    lastActiveAt: 1,
  })),
  disconnectedAt,
  confirmMs: 30_000,
});

function leaving(name: string, offset: number, answers: Confirmed[], agoMs = 0): Branch {
  const place = { partition: 0, offset: String(offset), timestamp: '1' };
  return {
    name: `confirm-offline.${name}`,
    clock: 'jumping',
    workflowId: confirmOfflineId(place),
    async play(temporal) {
      const now = await temporal.environment.currentTimeMs();
      const start = confirmOfflineStart(place, leavers(offset, now - agoMs));
      let asked = 0;
      const confirmUsersOffline = async () => answers[asked++] ?? { offline: 0, waitMs: 0 };
      await temporal.withWorker({ confirmUsersOffline }, () =>
        temporal.client.workflow.execute(confirmOffline.workflowType, start),
      );
    },
  };
}

function page(cursor: string, found: number, waitMs = 0): Pages {
  return { cursor, offline: found, sessionsRemoved: found, waitMs };
}

function cleanup(name: string, answers: Pages[], input?: object): Branch {
  const workflowId = `cleanup-expired-status-${name}`;
  return {
    name: `cleanup-expired-status.${name}`,
    clock: 'jumping',
    workflowId,
    async play(temporal) {
      let asked = 0;
      const cleanUpSessions = async () => answers[asked++] ?? page('', 0);
      const { workflowType, ...start } = cleanupExpiredStatus;
      await temporal.withWorker({ cleanUpSessions }, () =>
        temporal.client.workflow
          .execute(workflowType, { ...start, workflowId, args: input ? [input] : [] })
          .catch(() => undefined),
      );
    },
  };
}
