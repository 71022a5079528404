import { createRequire } from 'node:module';

type RequestQueue = { pending: readonly unknown[]; scheduleCheckPendingRequests(): void };

/**
 * kafkajs (2.2.4) looks for waiting requests with a timer that it sets anew each time, also when nothing waits: with a
 * negative duration, which Node warns of and takes for 1 ms, a thousand times a second and connection for ever. The
 * timer is needed only while something waits, and whatever has to wait sets it. kafkajs has no setting for it, so it is
 * mended here, for every connection of the process; its version is pinned.
 */
const { prototype }: { prototype: RequestQueue } = createRequire(import.meta.url)(
  'kafkajs/src/network/requestQueue/index.js',
);
const schedule = prototype.scheduleCheckPendingRequests;
prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
  if (this.pending.length > 0) schedule.call(this);
};
