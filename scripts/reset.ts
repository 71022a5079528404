import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { claim } from './process/lock.ts';
import { Problem, report } from './process/problem.ts';
import { endLeftovers, readRunFile, supervisorName } from './process/run-file.ts';
import { removeDockerData } from './stack/docker.ts';
import { homesWithin, wipeHome } from './topology/home.ts';
import { benchProfile, testProfile, userProfile } from './topology/topology.ts';

/** `npm run reset`: removes all data of this folder's GoChat; downloads stay cached. */
try {
  const profile = userProfile(process.env);
  const { home } = profile;
  const bench = benchProfile(process.env, { gateways: 1, logics: 1, core: true });
  const within = [
    testProfile(process.env).home,
    bench.home,
    ...[homesWithin.smallMachine, homesWithin.dev].map((name) => join(home, name)),
  ];
  const folders = [home, ...within.filter((folder) => folder.startsWith(home))];
  for (const folder of folders) await assertStopped(folder);
  const existed = existsSync(home);
  await removeDockerData(profile);
  await removeDockerData(bench);
  wipeHome(home);
  console.log(existed ? `${home} is wiped.` : `There is nothing to wipe: ${home} does not exist.`);
} catch (error) {
  report(error);
}
process.exit();

async function assertStopped(home: string): Promise<void> {
  if ((await claim(home)) === undefined) {
    const pid = readRunFile(home)[supervisorName]?.pid;
    throw new Problem(`GoChat runs from ${home}${pid === undefined ? '' : ` (pid ${pid})`}: stop it first.`);
  }
  await endLeftovers(home);
}
