import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { type Code, GoChatError } from '../lib/errors.ts';
import type { RepoClient } from '../lib/grpc/clients.ts';
import { type ComparedPages, createReconcileCountersActivities } from './reconcile-counters.ts';

/**
 * Groups that were abandoned long ago, by the status of their createGroup run, and im-repo's answer to their removal.
 */
async function sweep(groups: { run?: string; refusal?: Code }[]) {
  const asked: string[] = [];
  const repo = {
    conversations: {
      reconcileConversations: async () => ({
        checked: groups.length,
        wrong: [],
        unfinished: groups.map((_, index) => ({ conversationId: String(index), createdAt: 5 })),
        nextAfterConversationId: '',
      }),
      async discardConversation(request: { conversationId: string; begunBefore: number }) {
        assert.equal(request.begunBefore, 6);
        asked.push(request.conversationId);
        const { refusal } = groups[Number(request.conversationId)] ?? {};
        if (refusal) throw new GoChatError(refusal, 'No.');
        return {};
      },
    },
  } as unknown as RepoClient;
  const client = {
    withAbortSignal: (_: AbortSignal, call: () => Promise<unknown>) => call(),
    workflow: {
      getHandle: (workflowId: string) => ({
        async describe() {
          const { run } = groups[Number(workflowId.split('/')[1])] ?? {};
          if (!run) throw new WorkflowNotFoundError('none', workflowId, undefined);
          return { status: { name: run } };
        },
      }),
    },
  } as unknown as Client;
  const { compareCounters } = createReconcileCountersActivities({ repo });
  const pages = (await new MockActivityEnvironment({}, { client, logger: new DefaultLogger('ERROR') }).run(
    compareCounters,
    {
      dryRun: false,
      after: '',
    },
  )) as ComparedPages;
  return { asked, removed: pages.findings.unfinishedGroups };
}

test('a group whose creation was completed meanwhile is not removed, and the others are checked', async () => {
  const { asked, removed } = await sweep([{ refusal: 'PERMISSION_DENIED' }, {}]);
  assert.deepEqual(asked, ['0', '1']);
  assert.equal(removed, 1);
});

test('a paused creation counts as one that continues', async () => {
  const { asked } = await sweep([{ run: 'PAUSED' }, { run: 'RUNNING' }, { run: 'TERMINATED' }]);
  assert.deepEqual(asked, ['2']);
});
