import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { RepoClient } from '../../lib/grpc/clients.ts';
import { createStoredProgress } from './progress.ts';

const longMs = 60_000;

/** A stub of im-repo that stores progress, or fails while it is unavailable. */
function scene({ away = false } = {}) {
  const asked: number[] = [];
  const repo = {
    conversations: {
      async setFanoutDone({ doneSeqId }: { doneSeqId: number }) {
        asked.push(doneSeqId);
        if (away) throw new Error('im-repo is away');
        return { fanoutDoneSeq: doneSeqId, lastSeqId: doneSeqId };
      },
    },
  } as unknown as RepoClient;
  return { asked, progress: createStoredProgress(repo, '9', () => undefined) };
}

test('progress set within a short time is stored once, and nothing is stored twice', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { asked, progress } = scene();
  for (const done of [1, 2, 3]) progress.set(done);
  t.mock.timers.tick(longMs);
  await turn();
  t.mock.timers.tick(longMs);
  assert.deepEqual(asked, [3]);
});

test('a failed write is retried while the activity runs, and not after it has ended', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { asked, progress } = scene({ away: true });
  progress.set(1);
  for (let moment = 0; moment < 3; moment += 1) {
    t.mock.timers.tick(longMs);
    await turn();
  }
  assert.deepEqual(asked, [1, 1, 1]);
  // One more attempt may be in flight at the end.
  t.mock.timers.tick(longMs);
  progress.stop();
  await turn();
  for (let moment = 0; moment < 3; moment += 1) {
    t.mock.timers.tick(longMs);
    await turn();
  }
  assert.deepEqual(asked, [1, 1, 1, 1]);
});
