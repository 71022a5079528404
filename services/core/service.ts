// Room: im-logic and im-repo in one process, for one machine. No code of its own but that.

import { createLogger } from '../../lib/log.ts';
import type { Running } from '../../lib/service.ts';
import type { LogicConfig } from '../logic/config.ts';
import { startLogic } from '../logic/service.ts';
import type { RepoConfig } from '../repo/config.ts';
import { startRepo } from '../repo/service.ts';

/**
 * im-repo and im-logic in one process, for a machine that runs everything: each serves its own ports, and logic calls
 * im-repo without a journey, which is the larger part of what storing a small batch costs.
 */
export async function startCore(config: { repo: RepoConfig; logic: LogicConfig }): Promise<Running> {
  const repo = await startRepo(config.repo, createLogger('repo', config.repo.LOG_LEVEL));
  try {
    const logic = await startLogic(config.logic, createLogger('logic', config.logic.LOG_LEVEL), {
      repo: repo.local,
    });
    return {
      async stop() {
        await logic.stop();
        await repo.stop();
      },
    };
  } catch (error) {
    await repo.stop();
    throw error;
  }
}
