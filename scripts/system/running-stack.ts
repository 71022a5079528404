import { join } from 'node:path';
import { claim } from '../process/lock.ts';
import { Problem } from '../process/problem.ts';
import { endLeftovers } from '../process/run-file.ts';
import { createSupervisor } from '../process/supervisor.ts';
import { homesWithin } from '../topology/home.ts';
import { assertPortsFree } from '../topology/ports.ts';
import { type Profile, servicePorts } from '../topology/topology.ts';
import type { RunningServers, Servers } from './servers.ts';
import { readStackFile } from './stack-file.ts';

/**
 * The servers that `npm run stack` runs on the same data folder; undefined if it does not run. Here start() only
 * checks that nothing prevents the start of the services, and stop() leaves the servers running.
 */
export async function runningStack(
  profile: Profile,
  say: (line: string) => void,
): Promise<Servers | undefined> {
  const stack = (await isHeld(profile.home)) ? readStackFile(profile.home) : undefined;
  if (stack === undefined) return undefined;
  // A separate folder, since the stack writes its own run.json and logs into its folder.
  const home = join(profile.home, homesWithin.dev);
  const supervisor = createSupervisor(home, say);
  const lock = await claim(home);
  if (lock === undefined) throw new Problem('npm run dev already runs here: stop it with Ctrl-C there.');

  const begin = async (): Promise<RunningServers> => {
    await endLeftovers(home);
    await assertPortsFree(servicePorts(profile));
    return { ...stack, supervisor, ready: async () => undefined };
  };
  return {
    begin,
    start: begin,
    async stop() {
      supervisor.refuseStarts();
      supervisor.forget();
      await lock.release();
    },
  };
}

async function isHeld(home: string): Promise<boolean> {
  const lock = await claim(home);
  await lock?.release();
  return lock === undefined;
}
