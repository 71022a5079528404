// Room: im-repo, im-logic and im-pusher in one process, for one machine. No code of its own but that.

import { createLogger } from '../../lib/log.ts';
import type { Running } from '../../lib/service.ts';
import type { LogicConfig } from '../logic/config.ts';
import { startLogic } from '../logic/service.ts';
import type { PusherConfig } from '../pusher/config.ts';
import { startPusher } from '../pusher/service.ts';
import type { RepoConfig } from '../repo/config.ts';
import { startRepo } from '../repo/service.ts';

/**
 * im-repo, im-logic and im-pusher in one process, for a machine that runs everything: each serves its own ports. Logic
 * and pusher call im-repo without gRPC, which is the larger part of the cost of storing a small batch, and pusher
 * needs no memory for a runtime and libraries of its own.
 */
export async function startCore(config: {
  repo: RepoConfig;
  logic: LogicConfig;
  pusher: PusherConfig;
}): Promise<Running> {
  const repo = await startRepo(config.repo, createLogger('repo', config.repo.LOG_LEVEL));
  const place = { repo: repo.local };
  const callers = await Promise.allSettled([
    startLogic(config.logic, createLogger('logic', config.logic.LOG_LEVEL), place),
    startPusher(config.pusher, createLogger('pusher', config.pusher.LOG_LEVEL), place),
  ]);

  async function stop(): Promise<void> {
    const started = callers.flatMap((caller) => (caller.status === 'fulfilled' ? [caller.value] : []));
    await Promise.all(started.map((caller) => caller.stop()));
    await repo.stop();
  }
  const failed = callers.find((caller) => caller.status === 'rejected');
  if (failed === undefined) return { stop };
  await stop();
  throw failed.reason;
}
