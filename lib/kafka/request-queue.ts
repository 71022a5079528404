import { createRequire } from 'node:module';

type RequestQueue = { pending: readonly unknown[]; scheduleCheckPendingRequests(): void };

/**
 * kafkajs (2.2.4) checks its queue of requests with a timer that it restarts after each check, even if the queue is
 * empty. The duration is negative then, which Node warns of and treats as 1 ms: a thousand checks per second and
 * connection, forever. The timer is needed only while requests wait, and a request that must wait starts it. kafkajs
 * has no setting for this, so this patch fixes it for every connection of the process. The version of kafkajs is
 * pinned.
 */
const { prototype }: { prototype: RequestQueue } = createRequire(import.meta.url)(
  'kafkajs/src/network/requestQueue/index.js',
);
const schedule = prototype.scheduleCheckPendingRequests;
prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
  if (this.pending.length > 0) schedule.call(this);
};
